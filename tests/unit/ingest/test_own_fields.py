"""Our control fields have no effect when strangers send them (RELIABILITY T8)."""

import pytest

from services.ingest.own_fields import without_own_fields


@pytest.mark.parametrize(
    "own",
    [
        b"X-Postdesk-Ticket: T-1\r\n",
        b"x-POSTDESK-priority: urgent\r\n",
        b"X-Postdesk-A:\r\n\tx\r\n b\r\n",
    ],
)
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_they_are_taken_out_of_the_headers(own: bytes, place: str) -> None:
    fields = [b"From: a@b.example\r\n", b"Subject: x\r\n"]
    fields.insert({"first": 0, "middle": 1, "last": 2}[place], own)

    cleaned = without_own_fields(b"".join(fields) + b"\r\nbody\r\n")

    assert cleaned == b"From: a@b.example\r\nSubject: x\r\n\r\nbody\r\n"


def test_a_body_may_talk_about_them() -> None:
    raw = b"Subject: X-Postdesk-A: x\r\n\r\nX-Postdesk-Ticket: T-1\r\n"

    assert without_own_fields(raw) == raw


def test_a_mail_of_headers_alone_is_cleaned_to_its_end() -> None:
    assert without_own_fields(b"Subject: x\r\nX-Postdesk-A: b") == b"Subject: x\r\n"
