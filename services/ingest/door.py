"""The SMTP door: what all sessions share. Limits, recipients, the promise of the 250, closing.

The methods ``handle_…`` are aiosmtpd's hooks.
"""

import asyncio
import contextlib
import ssl
import traceback
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from services.ingest import lane, measures, peers, replies
from services.ingest.body import Body
from services.ingest.budget import LARGE_BYTES, Budget, Share
from services.ingest.conversation import Conversation
from services.ingest.lane import Lane, Pace, Turns
from services.ingest.reception import STRANGERS_PER_S, Reception
from services.ingest.recipients import Recipient, resolve
from services.ingest.room import Room
from services.ingest.smtp import Session, storable
from shared.config.door import Door as Limits
from shared.config.models import Desk

BACKLOG = 1024  # connections that wait to be looked at
MINUTE_S = 60.0
FINISH_S = 10.0
HEAVY_BYTES = 2 * 1024 * 1024  # one such mail at a time is in memory; others wait in files
KNOWN_CLIENTS = 10_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Timing:
    """How long a client may take, in seconds."""

    idle_s: float = 300.0  # between commands (RFC 5321, 4.5.3.2.7)
    data_s: float = 600.0  # for one mail
    pace_s: float = 30.0  # the pace is looked at this often
    least_octets_per_s: float = 1024.0
    crowded_idle_s: float = 10.0  # when all places are taken (Postfix under stress: 10 s)
    proxy_s: float = 5.0  # for the header of a proxy in front
    farewell_s: float = 5.0  # to read the last reply
    in_vain_s: float = 5.0  # before who comes again and again in vain is sent away


@dataclass(frozen=True, slots=True)
class Delivery:
    """A mail that was read to its end; ``sender`` is "" for the null path."""

    body: Body
    sender: str
    recipients: list[Recipient]
    client: str
    helo: str
    is_encrypted: bool


Store = Callable[[Delivery], Coroutine[Any, Any, Sequence[str]]]
"""Answers a mail, for each recipient in their order: 250 only when it is stored."""


class Door:
    """Listens, lets sessions in and hands mails to ``store``."""

    def __init__(
        self,
        desk: Callable[[], Desk],
        store: Store,
        *,
        folder: Path | None = None,
        room: Room | None = None,
        is_behind: Callable[[], bool] = lambda: False,
        timing: Timing | None = None,
    ) -> None:
        self._desk = desk
        self._store = store
        self.folder = folder
        self.timing = timing or Timing()
        self.hostname = desk().host
        self.tls = _tls(self.limits.certificate)
        self._is_behind = is_behind
        self.room = room or Room(lambda: self.limits)
        self.budget = Budget(self.limits.memory_bytes)
        measures.IN_FLIGHT.set_function(lambda: self.budget.used_bytes)
        self.is_closing = False
        self.in_data = 0
        self._sessions: set[Conversation] = set()
        self._by_address: Counter[str] = Counter()
        self._in_vain: Counter[str] = Counter()
        self._minute_began = 0.0
        self.held: dict[Reception, asyncio.TimerHandle] = {}
        self.turns = Turns()
        self.newcomers = Lane(STRANGERS_PER_S)
        self._strangers = lane.strangers()
        self._acquaintances = lane.acquaintances()
        self._known: dict[str, None] = {}
        self._heavy = asyncio.Lock()
        self._storing: set[asyncio.Task[Sequence[str]]] = set()
        self._servers: list[asyncio.Server] = []

    def __dir__(self) -> list[str]:
        """Name the hooks only: aiosmtpd looks through all names, twice for each session."""
        return _HOOKS

    @property
    def limits(self) -> Limits:
        """The limits as configured now."""
        return self._desk().door

    async def open(self, host: str, port: int, speaks: type[Session] = Session) -> tuple[str, int]:
        """Listen; gives the address that was bound, which tells the port where 0 was asked for."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Reception(self, speaks), host, port, backlog=BACKLOG
        )
        self._servers.append(server)
        bound = server.sockets[0].getsockname()
        return str(bound[0]), int(bound[1])

    async def close(self, finish_s: float = FINISH_S) -> None:
        """Take no more; mails that are on their way may finish for ``finish_s`` seconds."""
        self.is_closing = True
        for server in self._servers:
            server.close()
        for session in [s for s in self._sessions if not s.is_receiving]:
            session.hang_up(replies.SHUTTING_DOWN)
        for waiting in list(self.held):
            waiting.refuse()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(finish_s):
                while self._sessions or self._storing:  # noqa: ASYNC110 - once in a life
                    await asyncio.sleep(0.02)
        for session in list(self._sessions):
            session.hang_up(replies.SHUTTING_DOWN)

    def entered(self, session: Conversation) -> None:
        """Count a connection."""
        self._sessions.add(session)
        self._by_address[peers.counted_as(session.address)] += 1
        measures.CONNECTIONS.set(len(self._sessions))

    def left(self, session: Conversation) -> None:
        """Uncount a connection."""
        if session not in self._sessions:
            return
        self._sessions.discard(session)
        counted_as = peers.counted_as(session.address)
        self._by_address[counted_as] -= 1
        if not self._by_address[counted_as]:
            del self._by_address[counted_as]
        if session.has_delivered:
            self._in_vain[counted_as] = 0
        else:
            self.left_in_vain(session.address)
        measures.CONNECTIONS.set(len(self._sessions))

    def knows(self, address: str) -> bool:
        """Say whether it is ours, or has left a mail since the start (of the latest 10,000)."""
        is_ours = self.is_relay(address) or self.is_proxy(address)
        return is_ours or peers.counted_as(address) in self._known

    def pace_for(self, address: str) -> Pace:
        """Give the pace that a client's session goes at."""
        return self._acquaintances if self.knows(address) else self._strangers

    def welcome(self, address: str) -> Pace:
        """Remember who has left a mail; gives the pace from now on."""
        counted_as = peers.counted_as(address)
        self._known.pop(counted_as, None)
        self._known[counted_as] = None
        if len(self._known) > KNOWN_CLIENTS:
            del self._known[next(iter(self._known))]
        return self._acquaintances

    def is_proxy(self, address: str) -> bool:
        """Say whether connections from there begin with a PROXY header."""
        return peers.is_listed(address, self.limits.proxies)

    def is_relay(self, address: str) -> bool:
        """Say whether it is one of our own relays, which speaks for many senders."""
        return peers.is_listed(address, self.limits.exempt)

    def left_in_vain(self, address: str) -> None:
        """Count that a client came and went without leaving a mail, or was not let in."""
        self._in_vain[peers.counted_as(address)] += 1

    def comes_in_vain(self, address: str) -> bool:
        """Say whether it came and went too often in this minute without leaving a mail."""
        if self.is_relay(address) or self.is_proxy(address):
            return False
        now = asyncio.get_running_loop().time()
        if now - self._minute_began > MINUTE_S:
            self._in_vain.clear()
            self._minute_began = now
        return self._in_vain[peers.counted_as(address)] >= self.limits.max_in_vain_per_minute

    def refusal_of(self, session: Conversation) -> str | None:
        """Give the reply for a connection that is one too many, else None."""
        if self.is_closing:
            return replies.SHUTTING_DOWN
        limits, address = self.limits, session.address
        own = self._by_address[peers.counted_as(address)]
        if own > limits.max_connections_per_address and not self.is_relay(address):
            return replies.TOO_MANY_CONNECTIONS
        if len(self._sessions) > limits.max_connections and not self._has_made_place(session):
            return replies.TOO_MANY_CONNECTIONS
        return None

    def _has_made_place(self, newcomer: Conversation) -> bool:
        """Send away whoever has been silent for longest, if that is long enough."""
        now = asyncio.get_running_loop().time()
        silent = {
            session: now - session.waiting_since
            for session in self._sessions
            if session is not newcomer and session.waiting_since is not None and not session.is_over
        }
        longest = max(silent, key=silent.__getitem__, default=None)
        if longest is None or silent[longest] < self.timing.crowded_idle_s:
            return False
        longest.hang_up(replies.IDLE)
        return True

    @contextlib.contextmanager
    def receiving(self) -> Iterator[None]:
        """Count a session whose mail is coming in."""
        self.in_data += 1
        try:
            yield
        finally:
            self.in_data -= 1

    async def take(self, session: Session, body: Body, share: Share) -> Sequence[str]:
        """Store the mail and give the answers; a client that goes away does not stop that."""
        envelope = session.envelope
        delivery = Delivery(
            body=body,
            sender="" if envelope.mail_from == "<>" else envelope.mail_from,
            recipients=list(envelope.rcpt_tos),
            client=session.address,
            helo=storable(str(session.session.host_name or ""))[:255],
            is_encrypted=bool(session.session.ssl),
        )
        self.room.took(body.size)
        task = asyncio.create_task(self._store_once(delivery, share))
        self._storing.add(task)
        task.add_done_callback(self._storing.discard)
        return await asyncio.shield(task)

    async def _store_once(self, delivery: Delivery, share: Share) -> Sequence[str]:
        is_heavy = delivery.body.size > HEAVY_BYTES
        try:
            async with self._heavy if is_heavy else contextlib.nullcontext():
                return await self._store(delivery)
        except Exception as error:  # noqa: BLE001 - a fault of ours is a passing one
            return [await self.handle_exception(error)] * len(delivery.recipients)
        finally:
            delivery.body.close()
            share.give_back()

    async def handle_MAIL(  # noqa: N802
        self, _server: Session, _session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Take the sender unless there is no room for the mail."""
        if self._is_behind():
            return replies.BEHIND
        size = next((int(o[5:]) for o in options if o.startswith("SIZE=")), 1)
        if not self.budget.fits(size, is_large=size > LARGE_BYTES):
            return replies.NO_ROOM
        if not self.room.fits(self.budget.used_bytes + size):
            return replies.NO_DISK
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return replies.SENDER_OK

    async def handle_RCPT(  # noqa: N802
        self, _server: Session, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        """Take the recipient if it is a mailbox: to bounce later would hit forged senders."""
        recipient = resolve(self._desk(), address)
        if recipient is None:
            return replies.NO_SUCH_MAILBOX
        if len(envelope.rcpt_tos) >= self.limits.max_recipients:
            return replies.TOO_MANY_RECIPIENTS
        envelope.rcpt_tos.append(recipient)
        return replies.RECIPIENT_OK

    async def handle_exception(self, error: Exception) -> str:
        """Answer whatever went wrong here as our own, passing failure; details go to the log."""
        # Without locals and texts: those are mail.
        frames = traceback.extract_tb(error.__traceback__)[-3:]
        where = [f"{frame.filename}:{frame.lineno}" for frame in frames]
        _log.error("session failed", error=type(error).__name__, where=where)
        return replies.NOT_NOW


_HOOKS = [name for name in vars(Door) if name.startswith("handle_")]


def _tls(certificate: str) -> ssl.SSLContext | None:
    if not certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context
