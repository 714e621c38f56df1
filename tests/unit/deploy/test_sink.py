import asyncio
import imaplib
import smtplib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from deploy.local import maildir, ports, sink
from deploy.local.imap import serve_imap

MAIL = b"From: bob@x.example\r\nTo: ann@x.example\r\nSubject: hi\r\n\r\nhello\r\n"


async def listening(handler: sink.Sink, stack: AsyncExitStack) -> int:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: sink._listener(handler), ports.LOOPBACK, 0)
    await stack.enter_async_context(server)
    return server.sockets[0].getsockname()[1]


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as it:
        yield it


def send(port: int, recipients: list[str], raw: bytes = MAIL) -> dict:
    with smtplib.SMTP("127.0.0.1", port) as client:
        return client.sendmail("bob@x.example", recipients, raw)


async def test_mail_to_anybody_is_kept(tmp_path: Path, stack: AsyncExitStack) -> None:
    port = await listening(sink.Sink(tmp_path, None), stack)

    await asyncio.to_thread(send, port, ["ann@x.example", "eve@y.example"])

    assert maildir.addresses(tmp_path) == ["ann@x.example", "eve@y.example"]
    assert maildir.mails(tmp_path, "ann@x.example")[0].message["Subject"] == "hi"


async def test_a_name_that_would_leave_the_mailboxes_is_refused(
    tmp_path: Path, stack: AsyncExitStack
) -> None:
    port = await listening(sink.Sink(tmp_path / "mailboxes", None), stack)

    with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
        await asyncio.to_thread(send, port, ["../ann@x.example"])

    assert caught.value.recipients["../ann@x.example"][0] == 553
    assert maildir.addresses(tmp_path) == []


async def test_mail_to_the_desk_is_handed_on_with_its_envelope(
    tmp_path: Path, stack: AsyncExitStack
) -> None:
    behind = tmp_path / "desk"
    desk_port = await listening(sink.Sink(behind, None), stack)
    desk = sink.Desk(f"127.0.0.1:{desk_port}", frozenset({"support@desk.example"}))
    port = await listening(sink.Sink(tmp_path / "own", desk), stack)

    to = ["support+abc@desk.example", "Support@Desk.example", "ann@x.example"]
    await asyncio.to_thread(send, port, to)

    assert maildir.addresses(behind) == ["support+abc@desk.example", "support@desk.example"]
    assert maildir.addresses(tmp_path / "own") == ["ann@x.example"]
    [handed_on] = maildir.mails(behind, "support+abc@desk.example")
    assert handed_on.message["Return-Path"] == "<bob@x.example>"
    assert handed_on.message["Received"].startswith("from localhost by localhost")
    assert handed_on.raw.endswith(MAIL.replace(b"\r\n", b"\n"))


async def test_a_desk_that_is_away_makes_the_sender_try_again(
    tmp_path: Path, stack: AsyncExitStack
) -> None:
    desk = sink.Desk(f"127.0.0.1:{ports.free_port()}", frozenset({"support@desk.example"}))
    port = await listening(sink.Sink(tmp_path, desk), stack)

    with pytest.raises(smtplib.SMTPDataError) as caught:
        await asyncio.to_thread(send, port, ["support@desk.example", "ann@x.example"])

    assert caught.value.smtp_code == 451
    assert maildir.addresses(tmp_path) == []


async def test_the_desks_refusal_reaches_the_sender(tmp_path: Path, stack: AsyncExitStack) -> None:
    class Refusing(sink.Sink):
        async def handle_RCPT(self, *_: object) -> str:  # noqa: N802
            return "550 5.1.1 unknown"

    desk_port = await listening(Refusing(tmp_path, None), stack)
    desk = sink.Desk(f"127.0.0.1:{desk_port}", frozenset({"support@desk.example"}))
    port = await listening(sink.Sink(tmp_path, desk), stack)

    with pytest.raises(smtplib.SMTPDataError) as caught:
        await asyncio.to_thread(send, port, ["support@desk.example"])

    assert caught.value.smtp_code == 550
    assert b"5.1.1 unknown" in caught.value.smtp_error


async def test_a_mail_that_goes_in_circles_is_stopped(
    tmp_path: Path, stack: AsyncExitStack
) -> None:
    desk = sink.Desk("127.0.0.1:1", frozenset({"support@desk.example"}))
    port = await listening(sink.Sink(tmp_path, desk), stack)
    circling = b"X-First: 1\r\n" + b"Received: from a by b\r\n" * 31 + MAIL

    with pytest.raises(smtplib.SMTPDataError) as caught:
        await asyncio.to_thread(send, port, ["support@desk.example"], circling)

    assert caught.value.smtp_code == 554


async def test_a_mail_program_may_log_in_with_any_password(
    tmp_path: Path, stack: AsyncExitStack
) -> None:
    port = await listening(sink.Sink(tmp_path, None), stack)

    def log_in() -> tuple[int, bytes]:
        with smtplib.SMTP("127.0.0.1", port) as client:
            return client.login("ann@x.example", "anything")

    assert (await asyncio.to_thread(log_in))[0] == 235


async def imap_port(root: Path, stack: AsyncExitStack) -> int:
    port = ports.free_port()
    await serve_imap(stack, root, host=ports.LOOPBACK, port=port)
    return port


async def test_a_mail_program_reads_the_bytes_that_were_delivered(
    tmp_path: Path, stack: AsyncExitStack
) -> None:
    references = b"References: " + b" ".join(b"<%060d@x.example>" % n for n in range(9)) + b"\r\n"
    maildir.deliver(tmp_path, "ann@x.example", references + MAIL, sender="bob@x.example")
    port = await imap_port(tmp_path, stack)

    def read() -> bytes:
        with imaplib.IMAP4("127.0.0.1", port) as client:
            client.login("Ann@x.example", "anything")
            client.select("INBOX")
            return client.fetch("1", "(BODY.PEEK[])")[1][0][1]

    assert (await asyncio.to_thread(read)).endswith(references + MAIL)


async def test_mail_that_comes_while_a_mailbox_is_open_is_seen(
    tmp_path: Path, stack: AsyncExitStack
) -> None:
    port = await imap_port(tmp_path, stack)

    def watch() -> tuple[bytes, bytes]:
        with imaplib.IMAP4("127.0.0.1", port) as client:
            client.login("ann@x.example", "")
            before = client.select("INBOX")[1][0]
            client.send(b"a1 IDLE\r\n")
            client.readline()
            maildir.deliver(tmp_path, "ann@x.example", MAIL, sender="")
            told = client.readline()
            client.send(b"DONE\r\n")
            while not client.readline().startswith(b"a1 OK"):
                pass
            return before, told

    assert await asyncio.to_thread(watch) == (b"0", b"* 1 EXISTS\r\n")


async def test_a_login_that_is_no_address_is_refused(tmp_path: Path, stack: AsyncExitStack) -> None:
    port = await imap_port(tmp_path, stack)

    def log_in() -> None:
        with imaplib.IMAP4("127.0.0.1", port) as client:
            client.login("../ann", "x")

    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        await asyncio.to_thread(log_in)
