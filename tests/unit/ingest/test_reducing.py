"""What of a mail fits into a record, and what goes along as blobs."""

from collections.abc import Callable

import orjson
import pytest

from services.ingest.parse import Attachment, Mail
from services.ingest.records import announcement
from services.ingest.reducing import read, read_headers, reading_of
from shared.bus import encode
from shared.contracts.base import MAX_RECORD_BYTES
from tests.builders import NOON, SUPPORT, an_address_book


def a_file(number: int = 1, **changes: object) -> Attachment:
    given = {"name": f"{number}.pdf", "content_type": "application/pdf", "content_id": ""}
    return Attachment(**{**given, "is_inline": False, "payload": b"%d" % number, **changes})


def test_a_short_mail_needs_no_blobs() -> None:
    reading = reading_of(Mail(text="hello", reply_text="hello"), ())

    assert (reading.fields["text"], reading.blobs, reading.wants_raw) == ("hello", [], False)


def test_long_texts_and_html_and_files_are_blobs_in_order() -> None:
    mail = Mail(
        text="t" * 20_000, reply_text="r" * 13_000, html="<p>", attachments=[a_file(1), a_file(2)]
    )

    reading = reading_of(mail, ())

    assert reading.blobs == ["text", "reply_text", "html", "file", "file"]
    assert reading.contents == [b"t" * 20_000, b"r" * 13_000, b"<p>", b"1", b"2"]
    assert len(reading.fields["text"]) == 12_000


WORST: dict[str, Callable[[], Mail]] = {
    "texts of three-byte letters": lambda: Mail(text="語" * 50_000, reply_text="語" * 50_000),
    "texts of control characters": lambda: Mail(text="\x01" * 50_000, reply_text="\x02" * 50_000),
    "a thousand recipients": lambda: Mail(to_addrs=["a" * 300 + "@b.example"] * 1000, cc_addrs=["c" * 320] * 1000),
    "long references": lambda: Mail(references=["r" * 900 + str(n) for n in range(500)]),
    "many files": lambda: Mail(attachments=[a_file(n, name="n" * 4000, content_id="c" * 900) for n in range(300)]),
    "all of it": lambda: Mail(
        text="語" * 50_000, reply_text="é" * 50_000, subject="語" * 5000, from_name="語" * 5000,
        to_addrs=["é" * 300] * 300, cc_addrs=["é" * 300] * 300, references=["é" * 900] * 100,
        attachments=[a_file(n, name="語" * 400) for n in range(200)], message_id="é" * 5000,
        bounce_kind="failed", bounce_recipients=["é" * 320] * 500, defect="é" * 900,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WORST)
def test_the_worst_mail_becomes_a_record_of_less_than_the_limit(case: str) -> None:
    row = {
        "_id": "i" * 40, "mailbox": SUPPORT, "recipient": "support+" + "t" * 290 + "@desk.example",
        "envelope_from": "é" * 320, "client": "::1", "received_at": NOON, "size_bytes": 1,
    }  # fmt: skip

    reading = reading_of(WORST[case](), ())
    blobs = ["i" * 40 + "/" + "0" * 64] * len(reading.blobs)
    outgoing = announcement(row, reading, blobs, blobs[0] if blobs else None, an_address_book())

    assert len(encode(outgoing)[1] or b"") <= MAX_RECORD_BYTES
    assert outgoing.record is not None


def test_what_is_cut_of_the_text_is_in_its_blob() -> None:
    reading = reading_of(Mail(text="語" * 11_000, reply_text="語" * 11_000), ())

    assert len(orjson.dumps(reading.fields)) < 57_344
    assert reading.contents[0].decode() == "語" * 11_000


def test_files_beyond_the_limit_bring_the_original_along() -> None:
    reading = reading_of(Mail(attachments=[a_file(n) for n in range(101)]), ())

    assert len(reading.fields["attachments"]) <= 100
    assert reading.wants_raw


def test_the_first_and_the_latest_references_stay() -> None:
    reading = reading_of(Mail(references=[str(n) for n in range(100)]), ())

    assert reading.fields["references"] == ["0", *map(str, range(71, 100))]


def test_a_file_without_a_name_gets_one_by_its_type() -> None:
    reading = reading_of(Mail(attachments=[a_file(name=None)]), ())

    assert reading.fields["attachments"][0]["name"] == "part-1.pdf"


def test_halves_of_surrogate_pairs_do_not_reach_the_bus() -> None:
    reading = reading_of(Mail(subject="a\ud800b", text="\udfff"), ())

    assert orjson.dumps(reading.fields)


def test_a_bomb_is_not_parsed_and_says_why() -> None:
    raw = b"From: a@b.example\r\nSubject: bomb\r\n" + b"X-A: b\r\n" * 2_000 + b"\r\nbody\r\n"

    reading = read(raw, ())

    assert reading.fields["subject"] == "bomb"
    assert "header lines" in reading.fields["unreadable"]
    assert reading.wants_raw


def test_headers_alone_are_read_where_parsing_is_given_up() -> None:
    reading = read_headers(
        b"From: Ann <a@b.example>\r\nSubject: x\r\n\r\nbody\r\n", "parser ended by signal 27"
    )

    assert reading.fields["from_addr"] == "a@b.example"
    assert reading.fields["unreadable"] == "parser ended by signal 27"
    assert reading.fields["automated"]


def test_our_own_control_fields_are_not_seen() -> None:
    with_field = read(b"From: a@b.example\r\nX-Postdesk-Loop: 1\r\n\r\nhi\r\n", ())

    assert with_field.fields == read(b"From: a@b.example\r\n\r\nhi\r\n", ()).fields
