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
        self._may_pipeline = False

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
        connection._may_pipeline = "PIPELINING" in greetings[-1].text.split("\n")
        if any(reply.code >= 400 for reply in greetings):
            connection.close()
            raise NotConnectedError(greetings[-1].text)
        return connection

    async def deliver(self, sender: str, recipients: Sequence[str], raw: bytes) -> Reply:
        """The reply that decides about the mail: to its end, or the first refusal before."""
        envelope = [f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{r}>" for r in recipients)]
        refusal = await self._begin([f"{step}\r\n".encode() for step in envelope])
        if refusal:
            await self._ask(b"RSET\r\n")
            return refusal
        return await self._ask(_DOT.sub(b"..", raw) + b".\r\n")

    async def _begin(self, envelope: Sequence[bytes]) -> Reply | None:
        """Say all up to DATA, at once where the server offers it (RFC 2920); the first refusal.

        With several recipients DATA waits: one that is refused must not end in half a delivery.
        """
        steps = [*envelope, b"DATA\r\n"]
        if self._may_pipeline and len(envelope) == 2:
            replies = await self._ask_all(steps)
            if replies[-1].code == 354 and (refusal := _first_refusal(replies)):
                await self._ask(b".\r\n")  # cannot be taken: nobody is to get it
                return refusal
            return _first_refusal(replies)
        for step in steps:
            reply = await self._ask(step)
            if reply.code >= 400:
                return reply
        return None

    def close(self) -> None:
        """Cut the connection."""
        self._writer.transport.abort()

    async def _ask(self, data: bytes) -> Reply:
        return (await self._ask_all([data]))[0]

    async def _ask_all(self, steps: Sequence[bytes]) -> list[Reply]:
        try:
            self._writer.write(b"".join(steps))
            async with asyncio.timeout(ANSWER_S):
                await self._writer.drain()
                return [await self._reply() for _ in steps]
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            self.close()
            raise NoReplyError(type(error).__name__) from error

    async def _reply(self) -> Reply:
        lines = []
        while True:
            line = await self._reader.readuntil(b"\n")
            lines.append(line[4:].decode(errors="replace").strip())
            if line[3:4] != b"-":
                return Reply(int(line[:3]), "\n".join(lines))


def _first_refusal(replies: Sequence[Reply]) -> Reply | None:
    return next((reply for reply in replies if reply.code >= 400), None)
