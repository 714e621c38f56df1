"""LMTP (RFC 2033): a reply for each recipient."""

import pytest

from services.ingest.lmtp import LMTPSession
from tests.service.ingest.dialogue import Client, Mails, an_open_door

HELLO = """
    S: 220 desk.example
    C: LHLO relay.example
    S: 250
"""
ENVELOPE = """
    C: MAIL FROM:<ann@example.com>
    S: 250 2.1.0
    C: RCPT TO:<support@desk.example>
    S: 250 2.1.5
    C: RCPT TO:<nobody@desk.example>
    S: 550 5.1.1
    C: RCPT TO:<billing@desk.example>
    S: 250 2.1.5
    C: DATA
    S: 354
"""


async def play(mails: Mails, script: str) -> None:
    async with an_open_door(mails, speaks=LMTPSession, max_bytes=100_000) as (_, port):
        await (await Client.connect(port)).play(script)


@pytest.mark.parametrize("greeting", ["HELO", "EHLO"])
async def test_smtp_is_refused(greeting: str) -> None:
    await play(Mails(), f"S: 220\nC: {greeting} relay.example\nS: 500 5.5.1\nC: LHLO\nS: 501 5.5.4")


async def test_each_recipient_that_was_taken_has_its_answer() -> None:
    mails = Mails()

    await play(
        mails,
        HELLO
        + ENVELOPE
        + """
        C: Subject: x\\r\\n\\r\\nhello\\r\\n.
        S: 250 2.0.0 queued
        S: 250 2.0.0 queued
        C: NOOP
        S: 250 2.0.0 OK
        """,
    )

    assert [r.mailbox for r in mails.only.recipients] == [
        "support@desk.example",
        "billing@desk.example",
    ]


async def test_without_recipients_there_is_no_mail() -> None:
    script = """
    C: MAIL FROM:<ann@example.com>
    S: 250
    C: RCPT TO:<nobody@desk.example>
    S: 550
    C: DATA
    S: 503 5.5.1
    """
    await play(Mails(), HELLO + script)


async def test_a_fault_is_told_for_each_recipient() -> None:
    mails = Mails()
    mails.failure = RuntimeError("secret")

    await play(
        mails,
        HELLO
        + ENVELOPE
        + """
        C: x\\r\\n.
        S: 451 4.3.0 try again later
        S: 451 4.3.0 try again later
        C: NOOP
        S: 250 2.0.0 OK
        """,
    )


async def test_a_mail_too_large_is_refused_for_each_recipient() -> None:
    body = "x" * 100_001

    await play(
        Mails(),
        HELLO
        + ENVELOPE
        + f"C: {body}\\r\\n.\nS: 552 5.3.4\nS: 552 5.3.4\nC: NOOP\nS: 250 2.0.0 OK",
    )
