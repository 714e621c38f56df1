"""Sends what the ledger says is due, several mails at once; waits while the relay is away."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from services.notify.delivery import Delivery, settle
from services.notify.domain.backoff import FIRST_PAUSE, relay_pause_s
from services.notify.domain.lanes import Lanes
from services.notify.marking import Marker, Stores
from services.notify.outgoing import LEASE, Row
from services.notify.relay import Outcome, SMTPRelay
from shared import metrics
from shared.blobs import BlobMissingError
from shared.clock import Clock
from shared.company import Company
from shared.mongo import MongoError

POLL_S = 1.0
IN_HAND = 400
CLAIMED_AT_ONCE = 200
STOP_S = 10.0
PRESSING_MAILS = 4
PRESSED_S = 0.5
ENOUGH_MAILS = 64
"""Results that are stored together without waiting for more."""

_log = structlog.get_logger(__name__)


class Gate:
    """Whether the relay answers; closed, nothing is claimed and rows stay in the ledger."""

    def __init__(self) -> None:
        self.failures = 0
        self.reply = ""

    @property
    def is_open(self) -> bool:
        """Whether it answered last time."""
        return not self.failures

    def close(self, reply: str) -> None:
        """It did not answer."""
        self.failures += 1
        self.reply = reply

    def open(self) -> None:
        """It answers."""
        self.failures, self.reply = 0, ""


class Sender:
    """A part of the process. `offer` hands over rows that this process has leased already."""

    name = "sender"

    def __init__(
        self,
        *,
        stores: Stores,
        relay: SMTPRelay,
        owner: str,
        clock: Clock,
        wake_outbox: Callable[[], None],
        connections: int = 8,
        per_domain: int = 5,
        first_pause: timedelta = FIRST_PAUSE,
    ) -> None:
        self._stores = stores
        self._relay = relay
        self._owner = owner
        self._clock = clock
        self._wake_outbox = wake_outbox
        self._connections = connections
        self._first_pause = first_pause
        self._lanes: Lanes[Row] = Lanes(per_domain)
        self._company = Company(PRESSING_MAILS, enough=ENOUGH_MAILS, lasts_s=PRESSED_S)
        self._marker = Marker(
            stores,
            owner,
            clock=clock,
            on_stored=self._stored,
            company=self._company,
        )
        self._under_way: set[str] = set()
        self._work = asyncio.Event()
        self._look = asyncio.Event()
        self._progress = asyncio.Event()
        self._gate = Gate()
        self._tasks: list[asyncio.Task[None]] = []
        self._is_stopping = False
        self.done = 0

    @property
    def trouble(self) -> str:
        """Why nothing is sent, or empty."""
        return "" if self._gate.is_open else f"the relay does not answer: {self._gate.reply}"

    @property
    def room(self) -> int:
        """How many rows may be leased for `offer` now."""
        if self._is_stopping or not self._gate.is_open:
            return 0
        return max(0, IN_HAND - len(self._under_way))

    @property
    def is_pressed(self) -> bool:
        """Whether mails that somebody waits for come in groups, so that notices had better wait."""
        return self._company.is_expected

    async def waiting(self) -> int:
        """Rows that could be sent now."""
        return len(self._under_way) + await self._stores.ledger.ready_count(self._clock.now())

    def offer(self, rows: Sequence[Row]) -> None:
        """Send these now: they are stored as leased to this process."""
        new = [row for row in rows if row.id not in self._under_way]
        urgent = {row.id for row in new if row.mail_class != "notice"}
        self._company.came(len(urgent))
        for row in new:
            self._under_way.add(row.id)
            domain = row.recipient.rpartition("@")[2].lower()
            self._lanes.put(domain, row, is_urgent=row.id in urgent)
        self._work.set()

    def wake(self) -> None:
        """Look into the ledger at once."""
        self._look.set()

    async def start(self) -> None:
        """Take back what this process's predecessor had in hand, then begin."""
        await self._stores.ledger.take_back(self._owner, self._clock.now())
        jobs = [self._claim_for_ever(), self._marker.run()]
        jobs += [self._send_for_ever() for _ in range(self._connections)]
        self._tasks = [asyncio.create_task(job) for job in jobs]

    async def stop(self) -> None:
        """Finish what is being sent, store the results, leave the rest to the ledger."""
        self._is_stopping = True
        self._give_back(self._lanes.drain(), "stopping")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                while self._under_way:
                    self._progress.clear()
                    await self._progress.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._relay.close()

    async def _claim_for_ever(self) -> None:
        while True:
            await self._relay_answers()
            try:
                claimed = await self._claim()
            except Exception:  # noqa: BLE001 - a fault must not end the sending
                _log.exception("ledger not read")
                claimed = 0
            if claimed < CLAIMED_AT_ONCE:
                with contextlib.suppress(TimeoutError):
                    # `wait_for` may swallow the cancellation of a stop (before Python 3.12).
                    async with asyncio.timeout(POLL_S):
                        await self._look.wait()
            self._look.clear()

    async def _claim(self) -> int:
        limit = min(self.room, CLAIMED_AT_ONCE)
        if not limit:
            return 0
        rows = await self._stores.ledger.claim(self._owner, self._clock.now(), limit)
        self.offer(rows)
        return len(rows)

    async def _relay_answers(self) -> None:
        """Return when it does; one that is away is asked again and again, soon at first."""
        while not self._gate.is_open:
            await asyncio.sleep(relay_pause_s(self._gate.failures))
            outcome = await self._relay.probe()
            if outcome.result == "sent":
                _log.info("relay answers again")
                self._gate.open()
            else:
                self._gate.close(outcome.reply)

    async def _send_for_ever(self) -> None:
        while True:
            taken = self._lanes.take()
            if taken is None:
                self._work.clear()
                await self._work.wait()
                continue
            domain, row = taken
            try:
                self._settle(row, await self._send(row))
            finally:
                self._lanes.done(domain)
                self._work.set()

    async def _send(self, row: Row) -> Outcome:
        """One try; whatever goes wrong here is the outcome of this mail alone."""
        try:
            return await self._try(row)
        except Exception as error:  # noqa: BLE001 - a fault must not end the sending
            _log.exception("mail could not be tried", outgoing_id=row.id)
            return Outcome("unknown", repr(error)[:200])

    async def _try(self, row: Row) -> Outcome:
        """A lease that is nearly over is left to whoever claims the row next."""
        if row.next_try_at and row.next_try_at - self._clock.now() < LEASE / 3:
            return Outcome("unreachable", "its lease was over before its turn")
        try:
            if why := await self._stores.dead.why(row.recipient):
                return Outcome("suppressed", why)
            raw = await self._stores.blobs.get(row.raw_blob) if row.raw_blob else row.raw
        except BlobMissingError:
            return Outcome("failed", "the mail's bytes are gone")
        except MongoError as error:
            return Outcome("unreachable", repr(error)[:200])
        with metrics.stage("smtp"):
            outcome = await self._relay.send(row.envelope_from, row.recipient, raw)
        if outcome.result == "unreachable" and self._gate.is_open:
            _log.warning("relay does not answer", reply=outcome.reply)
            self._gate.close(outcome.reply)
            self._give_back(self._lanes.drain(), outcome.reply)
            self._look.set()
        return outcome

    def _give_back(self, rows: Sequence[Row], reason: str) -> None:
        for row in rows:
            self._settle(row, Outcome("unreachable", reason))

    def _settle(self, row: Row, outcome: Outcome) -> None:
        if outcome.result != "sent":
            _log.info("mail not sent", outgoing_id=row.id, result=outcome.result)
        now = self._clock.now()
        self._marker.add(settle(row, outcome, now, first_pause=self._first_pause))

    def _stored(self, deliveries: Sequence[Delivery]) -> None:
        self._under_way -= {delivery.row.id for delivery in deliveries}
        self.done += len(deliveries)
        self._progress.set()
        self._wake_outbox()
