"""Takes what the desk sends and keeps all that arrives, repeats too; can be told to make trouble."""

import asyncio
import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from aiosmtpd.smtp import SMTP, Envelope, Session

from services.ingest.dots import DotReader
from tests.actors.ledger import Ledger

OK = "250 2.0.0 OK"
DROP = "drop"
"""Verdict: the mail is kept, but the connection ends before the reply."""
SLOW = "slow"
"""Verdict: the mail is kept, and OK comes late."""

_BLOCK_BYTES = 64 * 1024
_PATH = re.compile(r"<([^<>\s]*)>\s*(.*)")
_MESSAGE_ID = re.compile(rb"^message-id:\s*<?([^>\r\n]+)>?", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Delivery:
    """One mail for one recipient, as the desk gave it."""

    at: float  # seconds since 1970
    sender: str
    recipient: str
    message_id: str
    raw: bytes
    is_answered: bool = True
    """Whether the reply was given to a connection that was still there."""

    def header(self, name: str) -> str:
        """A header's text, unfolded; empty where there is none. For fields without encoded words."""
        head, _, _ = self.raw.partition(b"\r\n\r\n")
        pattern = rb"^" + re.escape(name.encode()) + rb":[ \t]*((?:.|\r\n[ \t])*)"
        found = re.search(pattern, head, re.IGNORECASE | re.MULTILINE)
        return " ".join(found[1].decode(errors="replace").split()) if found else ""


Verdict = Callable[[Delivery], str]


class _Session(SMTP):
    """Reads a mail by blocks: aiosmtpd's lines cost as much as the desk's sending of them.

    So does the email package's parser of addresses; the desk sends none but plain ones.
    """

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        found = _PATH.fullmatch(arg)
        return (found[1] or "<>", found[2]) if found else (None, None)

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's name
        """Take a mail and answer as the sink says."""
        if arg or not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 not now")
            return
        await self.push("354 go on")
        self.envelope.original_content = await self._mail()
        reply = await self.event_handler.handle_DATA(self, self.session, self.envelope)
        self._set_post_data_state()
        await self.push(reply)

    async def _mail(self) -> bytes:
        dots, blocks, rest = DotReader(), [], None
        while rest is None:
            block = await self._reader.read(_BLOCK_BYTES)
            if not block:
                raise ConnectionResetError
            plain, rest = dots.feed(block)
            blocks.append(plain)
        self._reader._buffer[:0] = rest  # pipelined commands
        return b"".join(blocks)


class Sink:
    """An SMTP server on the loopback address; ``address`` is known inside the ``with``."""

    def __init__(
        self,
        *,
        ledger: Ledger | None = None,
        verdict: Verdict = lambda _: OK,
        port: int = 0,
        slow_s: float = 20.0,
        pipelining: bool = True,
    ) -> None:
        self._ledger = ledger
        self._slow_s = slow_s
        self._pipelining = pipelining
        self._arrived: list[Callable[[Delivery], None]] = []
        self._port = port
        self._server: asyncio.Server | None = None
        self._news = asyncio.Condition()
        self.verdict = verdict
        self.taken: list[Delivery] = []
        """What was answered with 250, or taken and then dropped."""
        self.refused: list[Delivery] = []

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return f"127.0.0.1:{self._port}"

    def on_arrival(self, call: Callable[[Delivery], None]) -> None:
        """Tell of every mail that is taken from now on."""
        self._arrived.append(call)

    async def wait_until(self, holds: Callable[[], bool], *, within_s: float) -> bool:
        """Return whether the condition on what has arrived came true in time."""
        try:
            async with asyncio.timeout(within_s), self._news:
                await self._news.wait_for(holds)
        except TimeoutError:
            return holds()
        return True

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._session, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        if self._server:
            self._server.close()

    def _session(self) -> SMTP:
        return _Session(self, hostname="sink.example", data_size_limit=64 * 1024 * 1024, enable_SMTPUTF8=True)  # fmt: skip

    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Session, _envelope: Envelope, name: str, replies: list[str]
    ) -> list[str]:
        """Offer what relays offer; aiosmtpd reads on in any case."""
        session.host_name = name
        return [*replies[:-1], "250-PIPELINING", replies[-1]] if self._pipelining else replies

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the mail once for each recipient and answer as told."""
        raw = envelope.original_content or b""
        found = _MESSAGE_ID.search(raw.partition(b"\r\n\r\n")[0])
        verdict = OK
        for recipient in envelope.rcpt_tos:
            delivery = Delivery(
                at=time.time(),
                sender=(envelope.mail_from or "").strip("<>"),
                recipient=recipient.lower(),
                message_id=found[1].decode(errors="replace").strip() if found else "",
                raw=raw,
            )
            verdict = self.verdict(delivery)
            if verdict == SLOW:
                await asyncio.sleep(self._slow_s)
            is_answered = verdict != DROP and not server.transport.is_closing()
            await self._keep(replace(delivery, is_answered=is_answered), verdict)
        if verdict == DROP:
            server.transport.abort()
            return "421 4.4.2 gone"
        return OK if verdict == SLOW else verdict

    async def _keep(self, delivery: Delivery, verdict: str) -> None:
        is_taken = verdict in {OK, DROP, SLOW}
        (self.taken if is_taken else self.refused).append(delivery)
        if self._ledger:
            self._ledger.write(
                at=delivery.at,
                recipient=delivery.recipient,
                message_id=delivery.message_id,
                sha256=hashlib.sha256(delivery.raw).hexdigest(),
                verdict=verdict,
                answered=delivery.is_answered,
            )
        for tell in self._arrived if is_taken else ():
            tell(delivery)
        async with self._news:
            self._news.notify_all()
