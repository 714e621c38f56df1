"""Which mails are the same: what a relay changes does not count, all else does."""

from datetime import timedelta

import pytest

from services.ingest.identity import inbound_id, scan, with_crlf
from tests.builders import NOON, SUPPORT

MAIL = (
    b"Received: from a by b\r\nFrom: Ann <ann@example.com>\r\nTo: support@desk.example\r\n"
    b"Subject: No\r\n internet\r\nDate: Mon, 23 Nov 2026 12:00:00 +0000\r\n"
    b"Message-ID: <m1@example.com>\r\n\r\nIt is dead.\r\n"
)


def identity(raw: bytes, mailbox: str = SUPPORT, **later: float) -> str:
    return inbound_id(mailbox, scan(raw), NOON + timedelta(**later))


@pytest.mark.parametrize(
    "changed",
    [
        MAIL.replace(b"from a by b", b"from c by d"),
        b"Received: one more\r\n\tfolded\r\n" + MAIL,
        b"Return-Path: <ann@example.com>\r\n" + MAIL,
        b"Delivered-To: x@y.example\r\n" + MAIL,
        MAIL.replace(b"No\r\n internet", b"No internet"),
        MAIL.replace(b"Subject:", b"SUBJECT :"),
        MAIL + b"\r\n\r\n",
    ],
)
def test_the_same_mail_over_another_way_is_the_same(changed: bytes) -> None:
    assert identity(changed) == identity(MAIL)


@pytest.mark.parametrize(
    "changed",
    [
        MAIL.replace(b"dead", b"alive"),
        MAIL.replace(b"m1@", b"m2@"),
        MAIL.replace(b"No\r\n", b"Now\r\n"),
        MAIL.replace(b"ann@", b"bob@"),
        MAIL.replace(b"12:00:00", b"12:00:01"),
        MAIL.replace(b"To: support@", b"Cc: support@"),
    ],
)
def test_a_mail_with_the_same_id_and_other_content_is_another(changed: bytes) -> None:
    assert identity(changed) != identity(MAIL)


def test_a_mail_to_two_mailboxes_is_two() -> None:
    assert identity(MAIL, "billing@desk.example") != identity(MAIL)


def test_a_dated_mail_is_the_same_days_later() -> None:
    assert identity(MAIL, days=4) == identity(MAIL)


def test_alarms_without_id_and_date_are_told_apart_by_the_hour() -> None:
    alarm = b"Subject: disk full\r\n\r\n/var\r\n"

    assert identity(alarm) == identity(alarm, minutes=10)
    assert identity(alarm) != identity(alarm, hours=1)


def test_the_scan_counts_received_fields_of_the_headers_alone() -> None:
    raw = b"Received: a\r\nRECEIVED: b\r\n folded\r\nX-Received: c\r\n\r\nReceived: d\r\n"

    assert scan(raw).received_count == 2


@pytest.mark.parametrize(
    ("raw", "message_id"),
    [
        (b"Message-ID: <a@b>\r\n\r\n", "a@b"),
        (b"Message-Id:\r\n <a@b>\r\n\r\n", "a@b"),
        (b"message-id: a@b\r\n\r\n", "a@b"),
        (b"", ""),
        (b"Message-ID: <\xff@b>\r\n\r\n", "\ufffd@b"),
    ],
)
def test_the_message_id_is_found_without_parsing(raw: bytes, message_id: str) -> None:
    assert scan(raw).message_id == message_id


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        (b"a\nb\n", b"a\r\nb\r\n"),
        (b"a\rb", b"a\r\nb"),
        (b"a\r\r\nb", b"a\r\nb"),
        (b"a\n.\nMAIL FROM:<x@y>\n", b"a\r\n.\r\nMAIL FROM:<x@y>\r\n"),
        (b"a\n\rb", b"a\r\n\r\nb"),
    ],
)
def test_lone_line_ends_are_made_whole(raw: bytes, normal: bytes) -> None:
    assert with_crlf(raw) == (normal, True)


def test_a_proper_mail_is_left_as_it_is() -> None:
    assert with_crlf(MAIL) == (MAIL, False)


def test_a_huge_header_block_is_scanned_in_linear_time() -> None:
    raw = b"Subject: x\r\n" + b" folded\r\n" * 200_000 + b"Received: y\r\n" * 100_000

    assert scan(raw).received_count == 0
