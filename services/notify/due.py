"""Writes the notices whose time has come: one mail for all that waits for a person and a ticket."""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

import structlog

from services.notify.dead import DeadAddresses
from services.notify.domain.customers import Customer
from services.notify.domain.limits import Counters, caps
from services.notify.domain.notice import REASONS, Cause, Notice
from services.notify.domain.view import Thread, TicketView
from services.notify.files import load_files
from services.notify.filing import counters_of
from services.notify.letters import Letters
from services.notify.outgoing import INLINE_BYTES, Ledger, Row
from services.notify.sender import Sender
from services.notify.stationery import Errand, Letter, Stationery
from services.notify.store import Store
from shared import metrics
from shared.blobs import Blobs
from shared.bus import classify
from shared.clock import Clock
from shared.mongo import Client, Session, transaction

AT_ONCE = 100
LOOK_S = 1.0
BROKEN_PAUSE = timedelta(minutes=1)
PATIENCE = timedelta(seconds=6)
PRESSED_PAUSE_S = 0.1

_log = structlog.get_logger(__name__)


class SupersededError(RuntimeError):
    """Another process wrote one of the rows meanwhile; the round is begun anew."""


@dataclass(frozen=True)
class Desktop:
    """What it takes to write a mail and to keep it."""

    client: Client
    store: Store
    ledger: Ledger
    blobs: Blobs
    paper: Stationery
    letters: Letters
    sender: Sender
    dead: DeadAddresses
    owner: str
    clock: Clock


@dataclass(frozen=True)
class Bundle:
    """All rows that become one mail; the oldest of them is the mail's row."""

    rows: Sequence[Row]
    view: TicketView
    is_stranger: bool  # no account and no other ticket
    written: Sequence[Row]  # notices to the same person about the same ticket, oldest first

    @property
    def lead(self) -> Row:
        """The row that gets the bytes."""
        return self.rows[0]

    @property
    def reason(self) -> str:
        """The most urgent reason."""
        return min((row.reason for row in self.rows), key=REASONS.index)


class DueNotices:
    """A part of the process: `wake` when a notice may be due."""

    name = "notices"

    def __init__(self, desktop: Desktop) -> None:
        self._desktop = desktop
        self._woken = asyncio.Event()
        self._released: dict[str, datetime] = {}
        self._task: asyncio.Task[None] | None = None
        self.trouble = ""

    def wake(self, released: Iterable[str] = ()) -> None:
        """Look at once; the clocks of tickets that are ``released`` are known.

        That is known here alone: after a crash what waits for clocks waits until its own time.
        """
        now = self._desktop.clock.now()
        for ticket_id in released:
            self._released.setdefault(ticket_id, now)
        self._woken.set()

    async def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        """End; what was not written is still planned."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def write_due(self) -> int:
        """Write what is due now; gives the number of mails."""
        now = self._desktop.clock.now()
        # Answers overtake notices, by so much at most.
        ripe = now - PATIENCE if self._desktop.sender.is_pressed else now
        released = [ticket for ticket, at in self._released.items() if at <= ripe]
        rows = await self._desktop.ledger.due(ripe, AT_ONCE, released)
        allowed: list[Bundle] = []
        if rows:
            with metrics.stage("notices"):
                bundles = await self._bundles(rows)
                allowed, counters = await self._within_caps(bundles, now)
                await self._write(allowed, counters, now)
        seen = {row.ticket_id for row in rows} if len(rows) >= AT_ONCE else released
        for ticket_id in seen:
            self._released.pop(ticket_id, None)
        return len(allowed)

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            try:
                count = await self.write_due()
                pause_s = 0.0 if count else await self._pause_s()
                self.trouble = ""
            except Exception as error:  # noqa: BLE001 - a fault must not end the writing of notices
                self.trouble, pause_s = repr(error)[:300], LOOK_S
                _log.exception("notices wait")
            if pause_s:
                with contextlib.suppress(TimeoutError):
                    # `wait_for` may swallow the cancellation of a stop (before Python 3.12).
                    async with asyncio.timeout(pause_s):
                        await self._woken.wait()

    async def _pause_s(self) -> float:
        if self._desktop.sender.is_pressed:
            return PRESSED_PAUSE_S
        due_at = await self._desktop.ledger.next_due_at()
        if due_at is None:
            return LOOK_S
        wait = (due_at - self._desktop.clock.now()).total_seconds()
        return min(max(wait, 0.001), LOOK_S)

    async def _bundles(self, rows: Sequence[Row]) -> list[Bundle]:
        tickets = {row.ticket_id for row in rows}
        views = await self._desktop.store.views(tickets)
        written = await self._desktop.ledger.notices(tickets)
        strangers = await self._desktop.store.without_history(views.values())
        return [
            Bundle(
                rows=group,
                view=views[group[0].ticket_id],
                is_stranger=group[0].ticket_id in strangers,
                written=[r for r in written if _bundle_key(r) == _bundle_key(group[0])],
            )
            for group in _groups(rows)
        ]

    async def _within_caps(
        self, bundles: Sequence[Bundle], now: datetime
    ) -> tuple[list[Bundle], Counters]:
        """A notice over a cap is not lost: it waits, and tells of all that came meanwhile."""
        desk = self._desktop.paper.desk
        limits = [caps("notice", b.lead.recipient, b.lead.ticket_id, desk) for b in bundles]
        wanted = [cap for some in limits for cap in some]
        told = [row for bundle in bundles for row in bundle.written]
        counters = await counters_of(wanted, told, self._desktop.store)
        allowed: list[Bundle] = []
        held: list[tuple[datetime, str]] = []
        for bundle, some in zip(bundles, limits, strict=True):
            full = counters.take(some, now)
            if full is None:
                allowed.append(bundle)
            else:
                later = counters.free_at(full)
                await self._desktop.ledger.postpone([row.id for row in bundle.rows], later)
                held.append((later, bundle.lead.id))
        if held:
            # Who is not told does not know it; addresses are in the rows, never in a log.
            later, row_id = max(held)
            _log.warning(
                "notices wait: a cap is full",
                mails=len(held),
                until=later.isoformat(),
                outgoing_id=row_id,
            )
        return allowed, counters

    async def _write(self, bundles: Sequence[Bundle], counters: Counters, now: datetime) -> None:
        desktop = self._desktop
        mails: list[Row] = []
        told: list[Row] = []
        for bundle in bundles:
            try:
                mails.append(await self._mail(bundle, now))
            except Exception as error:
                if classify(error) == "transient":
                    raise
                # One mail that cannot be written must not hold up all others.
                _log.exception("notice not written", outgoing_id=bundle.lead.id)
                later = now + BROKEN_PAUSE
                await desktop.ledger.postpone([row.id for row in bundle.rows], later)
            else:
                told += [
                    row.but(state="bundled", bundled_into=bundle.lead.id) for row in bundle.rows[1:]
                ]
        room = desktop.sender.room
        leased = [row.leased(desktop.owner, now) for row in mails[:room]]
        queued = [row.queued(now) for row in mails[room:]]

        async def work(session: Session) -> None:
            if not await desktop.ledger.write([*leased, *queued], told, session):
                raise SupersededError
            await desktop.store.save_counts(counters.changed, now, session)

        if mails:
            await transaction(desktop.client, work)
            desktop.sender.offer(leased)
            desktop.sender.wake()

    async def _mail(self, bundle: Bundle, now: datetime) -> Row:
        lead, view, desktop = bundle.lead, bundle.view, self._desktop
        notice = Notice(
            agent=lead.recipient,
            view=view,
            causes=[Cause(row.reason, row.seq) for row in bundle.rows],
            seen_seq=max((row.seen_seq for row in bundle.written), default=0),
            customer=Customer() if bundle.is_stranger else await desktop.store.customer(view),
            reader=desktop.letters.reader(lead.recipient),
            now=now,
        )
        attached = [a for entry in notice.new_entries() for a in entry.message.attachments]
        files = await load_files(desktop.blobs, attached)
        errand = Errand(
            outgoing_id=lead.id,
            event_id=lead.event_id,
            mail_class="notice",
            reason=bundle.reason,
            recipient=lead.recipient,
            box=desktop.paper.box(view.state.mailbox),
            ticket_id=view.ticket_id,
            seq=view.state.seq,
            now=now,
        )
        letter = desktop.letters.notice(
            errand, replace(notice, left_out=files.left_out_blobs), _thread(bundle), files
        )
        row = await kept(lead.but(reason=bundle.reason), letter, desktop.blobs)
        return row.but(seen_seq=view.state.seq)


async def kept(row: Row, letter: Letter, blobs: Blobs) -> Row:
    """The row with its bytes; large ones go to the blob store first."""
    if len(letter.raw) <= INLINE_BYTES:
        return row.written(letter)
    return row.written(letter, raw_blob=await blobs.put(row.ticket_id or row.id, letter.raw))


def _thread(bundle: Bundle) -> Thread:
    """What the agent has seen: our notices, and their own mails to the desk."""
    own = bundle.view.thread(bundle.lead.recipient)
    return own.with_ids(row.message_id for row in bundle.written)


def _bundle_key(row: Row) -> tuple[str, str]:
    return row.ticket_id, row.recipient


def _groups(rows: Sequence[Row]) -> Iterator[list[Row]]:
    for _, group in groupby(sorted(rows, key=lambda r: (*_bundle_key(r), r.seq)), key=_bundle_key):
        yield list(group)
