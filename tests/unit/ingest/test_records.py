"""From row and reading to the record."""

from typing import Any

import pytest

from services.ingest.reading import Reading
from services.ingest.records import announcement, bare
from shared.bus import Outgoing
from shared.contracts.mail import MailReceived
from tests.builders import NOON, SUPPORT, an_address_book, later

BOOK = an_address_book()


def a_row(**changes: Any) -> dict[str, Any]:
    given = {
        "_id": "i1", "mailbox": SUPPORT, "recipient": SUPPORT, "envelope_from": "ann@example.com",
        "client": "192.0.2.1", "received_at": NOON, "size_bytes": 9, "message_id": "m@example.com",
    }  # fmt: skip
    return {**given, **changes}


def a_reading(**fields: Any) -> Reading:
    return Reading({"from_addr": "Ann@example.com", "from_count": 1, **fields})


def record_of(outgoing: Outgoing) -> MailReceived:
    assert isinstance(outgoing.record, MailReceived)
    return outgoing.record


def announced(row: dict[str, Any], reading: Reading | None = None) -> Outgoing:
    return announcement(row, reading or a_reading(), [], None, BOOK)


def test_it_is_named_and_traced_by_the_inbound_id() -> None:
    meta = announced(a_row()).meta

    assert (meta.id, meta.correlation_id, meta.source) == ("i1", "i1", "postdesk/ingest")


def test_a_valid_token_is_the_key() -> None:
    to = BOOK.address(SUPPORT, "reply", ticket_id="T-7", party="ann@example.com")

    outgoing = announced(a_row(recipient=to.upper()))

    assert outgoing.key == "T-7"
    assert record_of(outgoing).token == BOOK.read(to, NOON)


def test_an_expired_token_is_told_and_is_no_key() -> None:
    to = BOOK.address(
        SUPPORT, "reply", ticket_id="T-7", party="a@b.example", valid_days=1, now=NOON
    )

    outgoing = announced(a_row(recipient=to, received_at=later(days=3)))

    token = record_of(outgoing).token
    assert token is not None
    assert token.state == "expired"
    assert outgoing.key == "ann@example.com"


def test_an_altered_token_is_forged() -> None:
    to = BOOK.address(SUPPORT, "reply", ticket_id="T-7", party="a@b.example")
    altered = to.replace(to[10], "a" if to[10] != "a" else "b", 1)

    token = record_of(announced(a_row(recipient=altered))).token

    assert token is not None
    assert token.state == "forged"


@pytest.mark.parametrize(
    ("row", "fields", "key"),
    [
        ({}, {}, "ann@example.com"),
        ({"envelope_from": "Bounce@x.example"}, {"from_addr": ""}, "bounce@x.example"),
        ({"envelope_from": ""}, {"from_addr": ""}, "i1"),
    ],
)
def test_without_a_token_the_sender_is_the_key(row: Any, fields: Any, key: str) -> None:
    assert announced(a_row(**row), a_reading(**fields)).key == key


def test_a_null_path_is_automated() -> None:
    assert record_of(announced(a_row(envelope_from=""))).automated
    assert not record_of(announced(a_row())).automated


def test_blobs_find_their_fields() -> None:
    files = [{"name": n, "content_type": "text/plain", "size_bytes": 1} for n in ("a", "b")]
    reading = Reading({"attachments": files}, ["text", "html", "file", "file"], [b""] * 4)

    record = record_of(announcement(a_row(), reading, ["o/1", "o/2", "o/3", "o/4"], "o/raw", BOOK))

    assert (record.text_blob, record.html_blob, record.raw_blob) == ("o/1", "o/2", "o/raw")
    assert [a.blob for a in record.attachments] == ["o/3", "o/4"]


@pytest.mark.parametrize(
    "reading",
    [
        Reading({"subject": 5}),
        Reading({"attachments": []}, ["file"], [b""]),
        Reading({"bounce": {"kind": "boomerang"}}),
        Reading({"from_addr": "x" * 5000}),
    ],
)
def test_a_reading_that_is_none_is_refused(reading: Reading) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - pydantic's and zip's
        announcement(a_row(), reading, ["o/1"] * len(reading.blobs), None, BOOK)


def test_the_envelope_alone_makes_a_record() -> None:
    record = record_of(announced(a_row(), bare(a_row(), "parser " + "x" * 900)))

    assert (record.from_addr, record.message_id) == ("ann@example.com", "m@example.com")
    assert record.automated
    assert record.unreadable
