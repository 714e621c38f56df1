"""The mail server of a local stack: takes what the desk sends, and is the server of a mail program.

Any recipient is accepted and kept as a Maildir that is served by IMAP; mail to the desk's own
mailboxes is handed on to the desk. For one machine: nobody has to prove who he is.
"""

import argparse
import asyncio
import signal
from contextlib import AsyncExitStack
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

import aiosmtplib
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from deploy.local import maildir
from deploy.local.imap import serve_imap
from deploy.local.ports import split_address

MAX_MAIL_BYTES = 64 * 1024 * 1024
MAX_HOPS = 30  # RFC 5321, 6.3: loops are found by counting Received lines
DESK_ANSWER_S = 60.0


@dataclass(frozen=True)
class Desk:
    """Where the desk listens, and the addresses whose mail it wants; plus addresses included."""

    smtp: str
    mailboxes: frozenset[str]

    def wants(self, recipient: str) -> bool:
        """Say whether a mail to that address is the desk's."""
        local, _, domain = recipient.lower().rpartition("@")
        return f"{local.partition('+')[0]}@{domain}" in self.mailboxes


class Sink:
    """aiosmtpd's handler."""

    def __init__(self, root: Path, desk: Desk | None) -> None:
        self._root = root
        self._desk = desk

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, session: Session, _envelope: Envelope, name: str, replies: list[str]
    ) -> list[str]:
        """Offer pipelining as every relay does; aiosmtpd reads on in any case."""
        session.host_name = name
        return [*replies[:-1], "250-PIPELINING", replies[-1]]

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept every recipient that a mailbox can be named after."""
        try:
            maildir.folder_of(self._root, address)
        except ValueError:
            return "553 5.1.3 That is no address here"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Hand on what is the desk's, then keep the rest; the desk's refusal is the answer."""
        raw = envelope.content or b""
        content = raw if isinstance(raw, bytes) else raw.encode()
        sender = envelope.mail_from or ""
        for_desk = [r for r in envelope.rcpt_tos if self._desk and self._desk.wants(r)]
        if self._desk and for_desk:
            refusal = await _hand_on(self._desk, sender, for_desk, content)
            if refusal:
                return refusal
        for recipient in envelope.rcpt_tos:
            if recipient not in for_desk:
                maildir.deliver(self._root, recipient, content, sender=sender)
        return "250 2.0.0 OK"


async def _hand_on(desk: Desk, sender: str, recipients: list[str], content: bytes) -> str:
    """Give a mail to the desk; return the answer for the client if it was not taken."""
    if content.lower().count(b"\nreceived:") > MAX_HOPS:
        return "554 5.4.6 Too many hops"
    host, port = split_address(desk.smtp)
    trace = f"Received: from localhost by localhost with ESMTP; {formatdate(localtime=True)}\r\n"
    try:
        refused, _ = await aiosmtplib.send(
            trace.encode() + content,
            sender=sender,
            recipients=recipients,
            hostname=host,
            port=port,
            timeout=DESK_ANSWER_S,
            start_tls=False,
        )
    except aiosmtplib.SMTPRecipientsRefused as error:
        first = error.recipients[0]
        return f"{first.code} {first.message}"
    except aiosmtplib.SMTPResponseException as error:
        return f"{error.code} {error.message}"
    except (aiosmtplib.SMTPException, OSError):
        return "451 4.4.1 The desk does not answer, try again later"
    return f"550 5.1.1 The desk does not know {min(refused)}" if refused else ""


def _accept_anybody(*_: object) -> AuthResult:
    return AuthResult(success=True)


def _listener(sink: Sink) -> SMTP:
    return SMTP(
        sink,
        hostname="localhost",
        ident="Postdesk's local mail server",
        data_size_limit=MAX_MAIL_BYTES,
        enable_SMTPUTF8=True,
        authenticator=_accept_anybody,
        auth_require_tls=False,
    )


async def serve(sink: Sink, root: Path, *, smtp: str, imap: str) -> None:
    """Serve SMTP and IMAP until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, done.set)
    async with AsyncExitStack() as stack:
        imap_host, imap_port = split_address(imap)
        await serve_imap(stack, root, host=imap_host, port=imap_port)
        host, port = split_address(smtp)
        server = await loop.create_server(lambda: _listener(sink), host, port)
        await stack.enter_async_context(server)
        await done.wait()
        server.close()


def main() -> None:
    """Run from the command line; addresses are HOST:PORT."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.sink", description=__doc__)
    parser.add_argument("--smtp", required=True, help="where to listen for mail")
    parser.add_argument("--imap", required=True, help="where to serve the mailboxes")
    parser.add_argument("--mailboxes", required=True, type=Path, help="folder of the Maildirs")
    parser.add_argument("--desk", default="", help="where the desk takes mail")
    parser.add_argument("--desk-mailbox", action="append", default=[], help="address of the desk")
    options = parser.parse_args()
    own = frozenset(address.lower() for address in options.desk_mailbox)
    desk = Desk(options.desk, own) if options.desk else None
    options.mailboxes.mkdir(parents=True, exist_ok=True)
    sink = Sink(options.mailboxes, desk)
    asyncio.run(serve(sink, options.mailboxes, smtp=options.smtp, imap=options.imap))


if __name__ == "__main__":
    main()
