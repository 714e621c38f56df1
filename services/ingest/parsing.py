"""Reads accepted mails in groups and has them announced.

The rows are the truth and are polled; mails accepted in this process are handed over in memory,
already leased, so that an idle desk knows of a mail milliseconds after its 250.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import structlog

from services.ingest import records
from services.ingest.announcing import Announcer
from services.ingest.children import OUT_OF_TIME, Answers
from services.ingest.reading import Reading
from services.ingest.store import LEASE_S
from services.ingest.tools import Tools
from services.ingest.waiting import Waiting
from shared.bus import classify
from shared.company import Company
from shared.metrics import stage
from shared.mongo import Document

GROUP_MAILS = 32
GROUP_BYTES = 512 * 1024
HEAVY_BYTES = 4 * 1024 * 1024  # one such group at a time
QUEUE_MAILS = 256
QUEUE_BYTES = 32 * 1024 * 1024
POLL_S = 0.5
FINISH_S = 3.0
PRESSING_MAILS = 3
"""After so many mails at once, others are waited for."""
TRIES = 2
MAX_ATTEMPTS = 5

_log = structlog.get_logger(__name__)


class MailReader:
    """Works on groups of rows, ``workers`` at a time; a mail that defeats the parser goes alone.

    While many come, a group that is not full waits for others.
    """

    name = "mail-reader"

    def __init__(self, tools: Tools, *, workers: int = 2) -> None:
        self._tools = tools
        self._company = Company(PRESSING_MAILS, enough=GROUP_MAILS)
        self._waits = Waiting(self.name)
        self._announcer = Announcer(tools, self._waits)
        self._workers = workers
        self._queue: deque[Document] = deque()
        self._queued_bytes = 0
        self._held: set[str] = set()
        self._suspects: asyncio.Queue[tuple[Document, str]] = asyncio.Queue()
        self._checks: set[asyncio.Task[None]] = set()
        self._checked: asyncio.Queue[tuple[Document, Reading]] = asyncio.Queue()
        self._arrived = asyncio.Event()
        self._heavy = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self.done = 0

    @property
    def trouble(self) -> str:
        """What keeps it from its work, or nothing."""
        return self._waits.trouble

    async def start(self) -> None:
        """Free what died with an earlier process, then begin."""
        await self._tools.rows.release_all()
        loops = [self._work] * self._workers
        loops += [self._clear_suspects, self._announce_checked, self._poll, self._renew]
        self._tasks = [asyncio.create_task(self._for_ever(loop)) for loop in loops]

    async def stop(self) -> None:
        """Finish what is in hand if that goes fast, and free the rest for the next process."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FINISH_S):
                while self._tasks and self._held and not self.trouble:  # noqa: ASYNC110 - once in a life
                    await asyncio.sleep(0.02)
        tasks = [*self._tasks, *self._checks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._tools.rows.release(sorted(self._held))

    async def waiting(self) -> int:
        """Count the rows in hand."""
        return len(self._held)

    def lease(self, rows: int) -> Document:
        """Lease new rows to this process while there is room for them."""
        if len(self._queue) + rows > QUEUE_MAILS or self._queued_bytes > QUEUE_BYTES:
            return self._tools.rows.no_lease()
        return self._tools.rows.fresh_lease()

    def hand_over(self, rows: Sequence[Document]) -> None:
        """Take rows that were stored with a lease of ours."""
        self._enqueue([row for row in rows if row["lease"]])

    def _enqueue(self, rows: Sequence[Document]) -> None:
        self._queue.extend(rows)
        self._queued_bytes += sum(len(row["raw"]) for row in rows)
        self._held.update(row["_id"] for row in rows)
        if rows:
            self._arrived.set()

    def _next_group(self) -> list[Document]:
        group: list[Document] = []
        size = 0
        while self._queue and len(group) < GROUP_MAILS and size < GROUP_BYTES:
            row = self._queue.popleft()
            size += row["size_bytes"]
            self._queued_bytes -= len(row["raw"])
            group.append(row)
        if not self._queue:
            self._arrived.clear()
        return group

    async def _work(self) -> None:
        await self._arrived.wait()
        await self._company.gather(self._queued)
        if group := self._next_group():
            self._company.came(len(group))
            is_heavy = sum(row["size_bytes"] for row in group) > HEAVY_BYTES
            async with self._heavy if is_heavy else contextlib.nullcontext():
                await self._read_group(group)

    async def _queued(self) -> int:
        return len(self._queue)

    async def _read_group(self, group: list[Document]) -> None:
        try:
            known = [row for row in group if row["attempts"] <= MAX_ATTEMPTS]
            for row in group:
                if row["attempts"] > MAX_ATTEMPTS:
                    self._suspects.put_nowait((row, "tried too often"))
            raws = [await self._raw(row) for row in known]
            with stage("parse"):
                answers = await self._parse(raws)
            read = len(answers.readings)
            if read < len(known):
                self._suspects.put_nowait((known[read], answers.failure))
                self._enqueue(known[read + 1 :])
            await self._announce(self._without_checks(known, answers.readings, raws))
        except Exception:
            self._held.difference_update(row["_id"] for row in group)
            raise

    def _without_checks(
        self, rows: Sequence[Document], readings: Sequence[Reading], raws: Sequence[bytes]
    ) -> list[tuple[Document, Reading]]:
        """Begin the checks of senders; gives the mails that need none."""
        ready = []
        for row, reading, raw in zip(rows, readings, raws, strict=False):
            if self._tools.senders.settle(row, reading):
                check = asyncio.create_task(self._check(row, reading, raw))
                self._checks.add(check)
                check.add_done_callback(self._checks.discard)
            else:
                ready.append((row, reading))
        return ready

    async def _check(self, row: Document, reading: Reading, raw: bytes) -> None:
        try:
            verdict = await self._tools.senders.verdict(row, reading, raw)
        except Exception as error:  # noqa: BLE001 - no doubt about a sender may keep the mail back
            _log.error("check of a sender failed", error=type(error).__name__)
        else:
            reading.fields["authentication"] = verdict
        self._checked.put_nowait((row, reading))

    async def _announce_checked(self) -> None:
        checked = [await self._checked.get()]
        while len(checked) < GROUP_MAILS and not self._checked.empty():
            checked.append(self._checked.get_nowait())
        try:
            await self._announce(checked)
        except Exception:
            self._held.difference_update(row["_id"] for row, _ in checked)
            raise

    async def _clear_suspects(self) -> None:
        row, failure = await self._suspects.get()
        try:
            raw = await self._raw(row)
            reading = await self._read_alone(row, raw, failure)
            await self._announce(self._without_checks([row], [reading], [raw]))
        except Exception:
            self._held.discard(row["_id"])
            raise

    async def _read_alone(self, row: Document, raw: bytes, failure: str) -> Reading:
        """Try again where that may help, then take the headers alone, then the envelope alone."""
        is_hopeless = row["attempts"] > MAX_ATTEMPTS or failure == OUT_OF_TIME
        for _ in range(0 if is_hopeless else TRIES - 1):
            answers = await self._parse([raw])
            if answers.readings:
                return answers.readings[0]
            failure = answers.failure
        _log.warning("mail defeats the parser", inbound_id=row["_id"], failure=failure)
        answers = await self._parse([raw], reason=f"parser {failure}")
        return answers.readings[0] if answers.readings else records.bare(row, f"parser {failure}")

    async def _parse(self, mails: Sequence[bytes], reason: str = "") -> Answers:
        read, trusted = self._tools.parsers.read, self._tools.trusted()
        return await self._waits.until_done(lambda: read(mails, trusted=trusted, reason=reason))

    async def _raw(self, row: Document) -> bytes:
        name = row.get("raw_blob")
        return (
            await self._waits.until_done(lambda: self._tools.blobs.get(name))
            if name
            else row["raw"]
        )

    async def _announce(self, read: Sequence[tuple[Document, Reading]]) -> None:
        if read:
            await self._announcer.announce(read)
        self.done += len(read)
        self._held.difference_update(row["_id"] for row, _ in read)

    async def _poll(self) -> None:
        room = QUEUE_MAILS - len(self._queue)
        if room > GROUP_MAILS and self._queued_bytes < QUEUE_BYTES:
            claimed = await self._tools.rows.claim(GROUP_MAILS * 2, self._held)
            self._enqueue(claimed)
            if len(claimed) == GROUP_MAILS * 2:
                return  # there may be more
        await asyncio.sleep(POLL_S)

    async def _renew(self) -> None:
        await asyncio.sleep(LEASE_S / 3)
        if self._held:
            await self._tools.rows.renew(sorted(self._held))

    async def _for_ever(self, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await step()
            except Exception as error:  # noqa: BLE001 - a row's fault must not end the reading
                self._waits.trouble = f"{type(error).__name__}: {error}"[:500]
                _log.error("reading failed", error=type(error).__name__, kind=classify(error))
                await asyncio.sleep(POLL_S)
