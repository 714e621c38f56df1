"""The relay that outgoing mail is handed to: kept SMTP connections, one recipient at a time."""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from aiosmtplib import SMTP, SMTPException

from services.notify.smtp_session import Reply, SessionError, SMTPSession, opened

Result = Literal["sent", "deferred", "failed", "suppressed", "unknown", "unreachable"]
TLS = Literal["none", "starttls", "tls"]

MAILS_PER_CONNECTION = 500
IDLE_S = 60.0
SERVICE_CLOSING = 421
BAD_SEQUENCE = 503
PERMANENT = 500
_REPLY_ID = re.compile(
    r"<([^<>\s@]+@[^<>\s@]+)>|\b([0-9A-Za-z][0-9A-Za-z.-]{15,}@[0-9A-Za-z.-]+)\b"
)
_BARE_ID = re.compile(r"^(?:\d\.\d\.\d )?(?:ok|accepted)\s+([0-9a-f-]{30,})\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Outcome:
    """What the relay said. ``unknown``: the answer to a complete mail was not heard.

    ``suppressed``: it was not asked.
    """

    result: Result
    reply: str = ""


class Relay(Protocol):
    """Where mails are handed over."""

    async def send(self, sender: str, recipient: str, raw: bytes) -> Outcome:
        """Try once; never raises for what a relay or a network can do."""
        ...


@dataclass(frozen=True)
class RelaySettings:
    """Where the relay is and how to speak to it; ``timeout_s`` is for each step."""

    host: str
    port: int
    timeout_s: float = 30.0
    tls: TLS = "none"
    username: str = ""
    password: str = ""
    local_hostname: str = ""


@dataclass
class _Connection:
    session: SMTPSession
    mails: int = 0
    used_at: float = 0.0


class SMTPRelay:
    """Keeps connections for the next mail, the warmest first; several mails go through each."""

    def __init__(
        self, settings: RelaySettings, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._idle: list[_Connection] = []

    async def send(self, sender: str, recipient: str, raw: bytes) -> Outcome:
        """Try once, over a kept connection or a new one."""
        try:
            connection = await self._connected()
        except (SMTPException, OSError) as error:
            return Outcome("unreachable", _words(error))
        outcome = await _transaction(connection.session, sender, recipient, raw)
        connection.mails += 1
        connection.used_at = self._monotonic()
        if outcome.result in {"unknown", "unreachable"} or not connection.session.is_open:
            connection.session.close()
        elif connection.mails >= MAILS_PER_CONNECTION:
            await connection.session.quit()
        else:
            self._idle.append(connection)
        return outcome

    async def probe(self) -> Outcome:
        """Say whether the relay answers at all."""
        try:
            self._idle.append(await self._connected())
        except (SMTPException, OSError) as error:
            return Outcome("unreachable", _words(error))
        return Outcome("sent")

    async def close(self) -> None:
        """Say goodbye on all kept connections."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(connection.session.quit() for connection in idle))

    async def _connected(self) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.session.is_open:
                continue
            if self._monotonic() - connection.used_at < IDLE_S:
                return connection
            connection.session.close()  # the relay may be about to do so
        return await self._opened()

    async def _opened(self) -> _Connection:
        given = self._settings
        client = SMTP(
            hostname=given.host,
            port=given.port,
            timeout=given.timeout_s,
            use_tls=given.tls == "tls",
            start_tls=given.tls == "starttls",
            local_hostname=given.local_hostname or None,
            username=given.username or None,
            password=given.password or None,
        )
        return _Connection(await opened(client, given.timeout_s), used_at=self._monotonic())


def relay_message_id(reply: str, own: str) -> str:
    """The id that the relay gave the mail, where its 250 names one other than ours.

    Such as ``250 Ok 0102018f…-000000`` or ``250 2.0.0 OK <id@host>``; empty otherwise.
    """
    found = _REPLY_ID.search(reply)
    if found:
        identity = found[1] or found[2]
        return "" if identity == own else identity
    bare = _BARE_ID.match(reply)
    return bare[1] if bare else ""


async def _transaction(session: SMTPSession, sender: str, recipient: str, raw: bytes) -> Outcome:
    try:
        reply = await session.deliver(sender, recipient, raw)
    except SessionError as error:
        return Outcome("unknown", _words(error))
    except ValueError as error:
        return Outcome("failed", f"the address cannot be used: {_words(error)}")
    return Outcome("sent", reply.text[:500]) if reply.is_good else _refused(reply)


def _refused(refusal: Reply) -> Outcome:
    reply = f"{refusal.code} {refusal.text}"[:500]
    if refusal.code == SERVICE_CLOSING:
        return Outcome("unreachable", reply)
    if refusal.code == BAD_SEQUENCE:
        return Outcome("unknown", reply)  # about the session, not about the mail
    return Outcome("failed" if refusal.code >= PERMANENT else "deferred", reply)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]
