"""Which mails provably come by a contact form that is believed."""

from typing import Any

import pytest

from services.ingest.intake import Intake, form_of
from services.ingest.reading import Reading
from services.ingest.reducing import read
from tests.builders import BILLING, SUPPORT, a_desk, an_address_book

FORM = {"name": "shop", "sender": "form@shop.example"}
PASS = {"dmarc": "pass", "by": "desk", "domain": "shop.example"}
ROW = {
    "mailbox": SUPPORT, "recipient": SUPPORT, "client": "192.0.2.7",
    "envelope_from": "form@shop.example",
}  # fmt: skip


def named(form: dict[str, Any], row: dict[str, Any] | None = None, **fields: Any) -> str:
    """The name of the form that such a mail comes by; empty for none."""
    given = {
        "from_addr": "Form@shop.example",
        "from_count": 1,
        "reply_to": "ann@example.com",
        "reply_to_count": 1,
        "authentication": PASS,
    }
    desk = a_desk(intake={"forms": [FORM | form]})
    found = form_of(ROW | (row or {}), given | fields, desk)
    return found.name if found else ""


def test_a_mail_of_the_form_that_passes_dmarc_is_believed() -> None:
    assert named({}) == "shop"


@pytest.mark.parametrize("dmarc", ["fail", "none", "temperror"])
def test_one_that_only_names_the_form_is_not(dmarc: str) -> None:
    assert named({}, authentication={"dmarc": dmarc}) == ""


def test_where_hosts_are_named_only_they_are_believed_and_nothing_more_is_asked() -> None:
    form = {"relays": ["192.0.2.0/28"]}

    assert named(form, authentication={}) == "shop"
    assert named(form, {"client": "192.0.2.77"}) == ""
    assert named(form, {"client": ""}) == ""


def test_the_envelope_must_fit_where_it_is_named() -> None:
    form = {"envelope": "www-data@shop.example"}

    assert named(form) == ""
    assert named(form, {"envelope_from": "WWW-data@shop.example"}) == "shop"


@pytest.mark.parametrize(
    "fields",
    [
        {"from_addr": "other@shop.example"},
        {"from_count": 2},
        {"reply_to": "", "reply_to_count": 0},
        {"reply_to_count": 2},
        {"reply_to": "nobody"},
        {"reply_to": "support+abc@desk.example"},
        {"bounce": {"kind": "failed"}},
    ],
)
def test_another_sender_or_no_single_person_in_reply_to_is_no_form(fields: dict[str, Any]) -> None:
    assert named({}, **fields) == ""


def test_a_form_may_be_for_some_mailboxes_only() -> None:
    assert named({"mailboxes": [BILLING]}) == ""
    assert named({"mailboxes": [SUPPORT]}) == "shop"


def test_the_name_goes_along_with_the_mail() -> None:
    raw = (
        b"From: Shop <form@shop.example>\r\nReply-To: =?utf-8?q?J=C3=B6rg?= <joerg@example.com>\r\n"
        b"Subject: Contact\r\n\r\nHello\r\n"
    )
    reading: Reading = read(raw, ())
    reading.fields["authentication"] = PASS

    Intake(lambda: a_desk(intake={"forms": [FORM]}), an_address_book()).believe(ROW, reading)

    assert reading.fields["form"] == "shop"
    assert reading.fields["reply_to_name"] == "Jörg"


@pytest.mark.parametrize(
    ("header", "count"),
    [
        (b"Reply-To: a@example.com\r\nReply-To: b@example.com\r\n", 2),
        (b"Reply-To: a@example.com, b@example.com\r\n", 2),
        (b"Reply-To: <a@example.com>@evil.example\r\n", 2),
        (b"", 0),
    ],
)
def test_doubtful_reply_to_fields_are_counted(header: bytes, count: int) -> None:
    reading = read(b"From: x@example.com\r\n" + header + b"\r\nHello\r\n", ())

    assert reading.fields["reply_to_count"] == count
