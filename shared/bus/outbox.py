"""The outbox relay: rows of a collection become records, in order, at least once."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Protocol

import structlog

from shared import metrics
from shared.bus.errors import PermanentError, classify
from shared.bus.lease import Lease
from shared.bus.records import Outgoing
from shared.logs import describe
from shared.mongo import Collection, Document, Index, MongoError, ObjectId

READY: Mapping[str, Any] = {"published_at": None}
GROUP_ORDER = (("queued_at", 1), ("_id", 1))
"""The order of rows made by `group`."""
BATCH_ROWS = 500
GROUPS_AT_ONCE = 8
SHORTEST_PAUSE_S = 0.02
LONGEST_PAUSE_S = 0.5
STANDBY_PAUSE_S = 1.0
TROUBLE_PAUSE_S = 5.0
BAD_PARTS_IN_A_ROW = 20
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""When a row that was set aside counts as published: no expiry of published rows removes it."""

Parts = Callable[[Sequence[Document]], Awaitable[Sequence[Sequence[Document]]]]

_log = structlog.get_logger(__name__)


class Publisher(Protocol):
    """The part of the bus that the relay needs."""

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        """Return when all are acknowledged."""
        ...


def outbox_index(collection: str, order: Sequence[tuple[str, int]] = (("_id", 1),)) -> Index:
    """Describe the index that the relay reads, of rows that are ready alone."""
    keys = [*((field, 1) for field in READY), *order]
    return Index(collection, keys, partial=dict(READY), options={"name": "outbox"})


async def _themselves(rows: Sequence[Document]) -> list[Sequence[Document]]:
    return [[row] for row in rows]


def group(parts: Sequence[Document], queued_at: datetime) -> Document:
    """Give one row for all that a transaction publishes: one write instead of many."""
    name = str(ObjectId())
    return {"_id": name, "queued_at": queued_at, "parts": list(parts), "published_at": None}


async def inner_parts(rows: Sequence[Document]) -> list[Sequence[Document]]:
    """Give the parts that rows made by `group` hold; a row of an earlier release is its own."""
    return [row.get("parts", [row]) for row in rows]


class OutboxRelay:
    """Publishes rows that are ready, then marks them with ``published_at``.

    The collection is the truth and is asked again and again; `wake` only saves the wait. One relay
    of a service works at a time, the others stand by. ``order`` must ascend for rows of one key in
    the order of their commits. ``to_outgoing`` gives the records of a row.

    Where a row stands for a group of what is to be published, ``parts_of`` gives for each row of
    a list the parts that `to_outgoing` is called with: `inner_parts` where the row holds them.

    What cannot become a record would block the rest: it is counted and named in its row's
    ``unpublishable``, a list of ``{part, reason}``, and the row is kept; all else is published.

    Rows of which it is told wait for ``company_s`` seconds, so that more go at once: for records
    that nobody waits for, as each round costs the same whatever its size, here and at each reader.
    """

    def __init__(
        self,
        *,
        bus: Publisher,
        collection: Collection,
        to_outgoing: Callable[[Document], Outgoing | Sequence[Outgoing]],
        leases: Collection,
        owner: str,
        order: Sequence[tuple[str, int]] = (("_id", 1),),
        parts_of: Parts | None = None,
        company_s: float = 0.0,
    ) -> None:
        self._bus = bus
        self._rows = collection
        self._to_outgoing = to_outgoing
        self.name = f"outbox:{collection.name}"
        self._lease = Lease(leases, self.name, owner)
        self._order = list(order)
        self._parts_of = parts_of or _themselves
        self._at_once = GROUPS_AT_ONCE if parts_of else BATCH_ROWS
        self._company_s = company_s
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._bad_in_a_row = 0
        self._standing_by = True
        self._head: tuple[Any, float] = (None, 0.0)
        self.done = 0
        self.trouble = ""

    async def start(self) -> None:
        """Begin to relay in a task of its own."""
        self._task = asyncio.create_task(self._run(), name=self._rows.name)

    async def stop(self) -> None:
        """End and give the lease back; what was not marked is published once more later."""
        if self._task is None:
            return
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._task = None
        with contextlib.suppress(MongoError):
            await self._lease.release()

    def wake(self) -> None:
        """Look at once: rows were committed in this process."""
        self._woken.set()

    async def waiting(self) -> int:
        """Count the rows that are ready; none where another process is at work."""
        if self._standing_by:
            return 0
        count = await self._rows.count_documents(READY)
        metrics.OUTBOX_ROWS.labels(self._rows.name).set(count)
        metrics.OUTBOX_AGE.labels(self._rows.name).set(self.oldest_s)
        return count

    @property
    def oldest_s(self) -> float:
        """Seconds that the first row has been waiting for, as seen here."""
        head, since = self._head
        return 0.0 if head is None else time.monotonic() - since

    async def _run(self) -> None:
        pause = SHORTEST_PAUSE_S
        while True:
            was_told = self._woken.is_set()
            try:
                done = await self._round()
                self.trouble = ""
            except Exception as error:  # noqa: BLE001 - the relay must outlive every fault
                self.trouble = describe(error)
                _log.warning("relay waits", outbox=self._rows.name, error=self.trouble)
                await asyncio.sleep(pause)
                pause = min(max(pause, 0.1) * 2, TROUBLE_PAUSE_S)
                continue
            if done is None:
                await asyncio.sleep(STANDBY_PAUSE_S)
            elif done < self._at_once:
                # Rows that nobody told of are another process's, and more may come soon.
                found_by_chance = done and not was_told
                pause = SHORTEST_PAUSE_S if found_by_chance else min(pause * 2, LONGEST_PAUSE_S)
                await self._sleep(pause)
                if self._woken.is_set():
                    await asyncio.sleep(self._company_s)

    async def _sleep(self, seconds: float) -> None:
        # Not `wait_for`: before Python 3.12 it may swallow the cancellation that `stop` waits for.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()

    async def _round(self) -> int | None:
        """Publish one batch; None when the lease is another's."""
        self._standing_by = not await self._lease.is_held()
        if self._standing_by:
            self._head = (None, 0.0)
            return None
        self._woken.clear()
        found = self._rows.find(READY).sort(self._order).limit(self._at_once)
        rows = await found.to_list(None)
        self._note_head(rows)
        if rows:
            published = await self._publish(rows)
            await self._mark(published, {})
            self.done += len(published)
        return len(rows)

    def _note_head(self, rows: list[Document]) -> None:
        head = rows[0]["_id"] if rows else None
        if head != self._head[0]:
            self._head = (head, time.monotonic())

    async def _publish(self, rows: list[Document]) -> list[Document]:
        parts = await self._parts_of(rows)
        try:
            all_parts = chain.from_iterable(parts)
            await self._bus.publish([one for part in all_parts for one in self._records_of(part)])
        except Exception as error:
            if classify(error) == "transient":
                raise
            return await self._publish_singly(rows, parts)
        self._bad_in_a_row = 0
        return rows

    async def _publish_singly(
        self, rows: list[Document], parts: Sequence[Sequence[Document]]
    ) -> list[Document]:
        """Publish what can be, and set aside rows with what cannot; order is kept."""
        published = []
        for row, its_parts in zip(rows, parts, strict=True):
            unpublishable = [bad for part in its_parts if (bad := await self._refused(part))]
            if unpublishable:
                await self._set_aside(row, unpublishable)
            else:
                published.append(row)
        return published

    async def _refused(self, part: Document) -> Document | None:
        """Publish a part, or say why it cannot be."""
        try:
            await self._bus.publish(self._records_of(part))
        except Exception as error:
            if classify(error) == "transient":
                raise
            if self._bad_in_a_row >= BAD_PARTS_IN_A_ROW:
                raise PermanentError("too many parts in a row that are no records") from error
            self._bad_in_a_row += 1
            metrics.dead_letter(f"outbox:{self._rows.name}", "unpublishable")
            return {"part": str(part["_id"]), "reason": describe(error)}
        self._bad_in_a_row = 0
        return None

    async def _set_aside(self, row: Document, unpublishable: Sequence[Document]) -> None:
        _log.error("set aside", outbox=self._rows.name, row=str(row["_id"]), parts=unpublishable)
        await self._mark([row], {"unpublishable": list(unpublishable), "published_at": NEVER})

    async def _mark(self, rows: list[Document], more: Document) -> None:
        marks = {"published_at": datetime.now(UTC), **more}
        ids = [row["_id"] for row in rows]
        await self._rows.update_many({"_id": {"$in": ids}}, {"$set": marks})

    def _records_of(self, part: Document) -> Sequence[Outgoing]:
        records = self._to_outgoing(part)
        return [records] if isinstance(records, Outgoing) else records
