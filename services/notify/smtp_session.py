"""One kept SMTP connection: opened by aiosmtplib, then used for mail after mail by own code.

Most of what a mail costs here is the answers that are waited for, so the commands of a mail go out
together where the relay says that it reads on meanwhile (RFC 2920).
"""

import asyncio
import re
from dataclasses import dataclass
from typing import cast

from aiosmtplib import SMTP, SMTPException, SMTPHeloError

REPLY_OCTETS = 64 * 1024
GO_AHEAD = 354
_LONE = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_ADDRESS = re.compile(r"[!-;=?-~]*")


class SessionError(Exception):
    """The connection is of no use any more; what became of the mail is not known."""


@dataclass(frozen=True)
class Reply:
    """An answer (RFC 5321, 4.2): its code, its lines without the code joined by newlines."""

    code: int
    text: str

    @property
    def is_good(self) -> bool:
        """Whether what was asked is done, or may go on."""
        return self.code < 400  # noqa: PLR2004 - RFC 5321, 4.2.1


class SMTPSession:
    """For one mail at a time; after a `SessionError` only `close` is left."""

    def __init__(self, client: SMTP, timeout_s: float) -> None:
        """Take over a client that has said EHLO; it must not be used any more."""
        # uvloop's transports do what `asyncio.Transport` says and are none by descent.
        transport = cast("asyncio.Transport", client.transport)
        loop = asyncio.get_running_loop()
        self._timeout_s = timeout_s
        self._pipelines = client.supports_extension("pipelining")
        self._takes_size = client.supports_extension("size")
        self._reader = asyncio.StreamReader(REPLY_OCTETS, loop)
        protocol = asyncio.StreamReaderProtocol(self._reader, loop=loop)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        self._writer = asyncio.StreamWriter(transport, protocol, self._reader, loop)

    @property
    def is_open(self) -> bool:
        """Whether it looks as if it could be used."""
        return not (self._writer.is_closing() or self._reader.at_eof())

    async def deliver(self, sender: str, recipient: str, raw: bytes) -> Reply:
        """Hand over a mail; gives the reply that decides about it, the first refusal or the last.

        Raises ValueError for an address that no command can carry, and `SessionError`.
        """
        if not (_ADDRESS.fullmatch(sender) and _ADDRESS.fullmatch(recipient)):
            raise ValueError("an address has characters that SMTP does not carry")
        body = _dotted(raw)
        size = f" SIZE={len(body)}" if self._takes_size else ""
        commands = [f"MAIL FROM:<{sender}>{size}", f"RCPT TO:<{recipient}>", "DATA"]
        refusal = await self._ask_all([f"{command}\r\n".encode("ascii") for command in commands])
        if refusal is None:
            return await self._ask(body + b".\r\n")
        if self.is_open:
            await self._ask(b"RSET\r\n")
        return refusal

    async def quit(self) -> None:
        """Say goodbye; never raises."""
        try:
            async with asyncio.timeout(1.0):
                await self._ask(b"QUIT\r\n")
        except (SessionError, TimeoutError):
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()

    async def _ask_all(self, commands: list[bytes]) -> Reply | None:
        """Send commands that end with DATA; gives the first refusal."""
        if not self._pipelines:
            for command in commands:
                reply = await self._ask(command)
                if not reply.is_good:
                    return reply
            return None
        replies = await self._replies(b"".join(commands), len(commands))
        refusal = next((reply for reply in replies if not reply.is_good), None)
        if refusal is not None and replies[-1].code == GO_AHEAD:
            # It waits for a mail all the same; an empty one might be delivered (RFC 2920, 3.1).
            self.close()
        return refusal

    async def _ask(self, data: bytes) -> Reply:
        (reply,) = await self._replies(data, 1)
        return reply

    async def _replies(self, data: bytes, count: int) -> list[Reply]:
        """Send, and hear so many replies."""
        if not self.is_open:
            raise SessionError("the relay has closed the connection")
        self._writer.write(data)
        try:
            async with asyncio.timeout(count * self._timeout_s):
                await self._writer.drain()
                return [await self._reply() for _ in range(count)]
        except (OSError, EOFError, ValueError, TimeoutError, asyncio.LimitOverrunError) as error:
            self.close()
            raise SessionError(f"{type(error).__name__}: {error}"[:300]) from error

    async def _reply(self) -> Reply:
        lines: list[str] = []
        while True:
            line = (await self._reader.readuntil(b"\n")).decode("utf-8", "replace")
            lines.append(line[4:].rstrip())
            if line[3:4] != "-":
                return Reply(int(line[:3]), "\n".join(lines))


async def opened(client: SMTP, timeout_s: float) -> SMTPSession:
    """Connect a client and take it over; raises SMTPException and OSError."""
    await client.connect()
    if client.is_ehlo_or_helo_needed:
        try:
            await client.ehlo()
        except SMTPHeloError:
            await client.helo()
    if client.transport is None:
        raise SMTPException("the relay has closed the connection")
    return SMTPSession(client, timeout_s)


def _dotted(raw: bytes) -> bytes:
    """Whole lines that end with CRLF, a dot before each leading dot (RFC 5321, 4.5.2).

    Nothing in it can be taken for the end of the mail by a relay that is lax about line ends.
    """
    ends = raw.count(b"\r\n")
    # Counting costs a fiftieth of the pattern, and our own mails are right.
    is_right = ends == raw.count(b"\n") == raw.count(b"\r")
    body = raw if is_right else _LONE.sub(b"\r\n", raw)
    if not body.endswith(b"\r\n"):
        body += b"\r\n"
    body = body.replace(b"\r\n.", b"\r\n..")
    return b"." + body if body.startswith(b".") else body
