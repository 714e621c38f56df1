"""One SMTP connection of a sending mail server, with as little work around each mail as can be."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

ANSWER_S = 60.0
_DOT = re.compile(rb"^\.", re.MULTILINE)


class NoReplyError(Exception):
    """The connection ended, or nothing came in time: the sender knows nothing and keeps the mail."""


class NotConnectedError(NoReplyError):
    """There was nobody to talk to."""


@dataclass(frozen=True)
class Reply:
    """A server's reply (RFC 5321, 4.2)."""

    code: int
    text: str

    @property
    def is_final(self) -> bool:
        """Whether trying again would be of no use."""
        return not 400 <= self.code < 500


class Connection:
    """Used for one mail after the other until an error; not for two at once."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, host: str, port: int) -> "Connection":
        """Connect and say EHLO; raises NoReplyError where that does not succeed."""
        try:
            connection = cls(*await asyncio.open_connection(host, port))
            greetings = [
                await connection._ask(b""),
                await connection._ask(b"EHLO sender.example\r\n"),
            ]
        except (OSError, NoReplyError) as error:
            raise NotConnectedError(str(error)) from error
        if any(reply.code >= 400 for reply in greetings):
            connection.close()
            raise NotConnectedError(greetings[-1].text)
        return connection

    async def deliver(self, sender: str, recipients: Sequence[str], raw: bytes) -> Reply:
        """The reply that decides about the mail: to its end, or the first refusal before."""
        steps = [f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{r}>" for r in recipients), "DATA"]
        for step in steps:
            reply = await self._ask(step.encode() + b"\r\n")
            if reply.code >= 400:
                await self._ask(b"RSET\r\n")
                return reply
        return await self._ask(_DOT.sub(b"..", raw) + b".\r\n")

    def close(self) -> None:
        """Cut the connection."""
        self._writer.transport.abort()

    async def _ask(self, data: bytes) -> Reply:
        try:
            self._writer.write(data)
            async with asyncio.timeout(ANSWER_S):
                await self._writer.drain()
                return await self._reply()
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            self.close()
            raise NoReplyError(type(error).__name__) from error

    async def _reply(self) -> Reply:
        while True:
            line = await self._reader.readuntil(b"\n")
            if line[3:4] != b"-":
                return Reply(int(line[:3]), line[4:].decode(errors="replace").strip())
