"""Group commit: mails of concurrent sessions share one journaled insert into ``inbound``."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from services.ingest import measures
from shared.metrics import stage
from shared.mongo import DUPLICATE_KEY, BulkWriteError, Collection, Document

COMPANY_S = 0.002
GROUP_ROWS = 200
GROUP_BYTES = 8 * 1024 * 1024

_log = structlog.get_logger(__name__)


class NotStoredError(Exception):
    """It is not certain that the mail is stored; the sender must keep it."""


@dataclass(eq=False)
class _Waiting:
    rows: Sequence[Document]
    size: int
    done: asyncio.Future[set[int]] = field(default_factory=asyncio.Future)


class Spool:
    """Stores rows so that they survive; ``expecting`` says how many mails are just coming in."""

    def __init__(
        self,
        collection: Collection,
        *,
        expecting: Callable[[], int] = lambda: 0,
        company_s: float = COMPANY_S,
    ) -> None:
        self._collection = collection
        self._expecting = expecting
        self._company_s = company_s
        self._waiting: list[_Waiting] = []
        self._arrived = asyncio.Event()

    async def store(self, rows: Sequence[Document], size: int) -> list[Document]:
        """Return when all rows are on a majority's journals; gives those that are new.

        The others are there since an earlier try. Raises `NotStoredError` where it is not certain.
        ``size`` is the rows' size in bytes.
        """
        waiting = _Waiting(rows, size)
        self._waiting.append(waiting)
        self._arrived.set()
        old = await waiting.done
        return [row for index, row in enumerate(rows) if index not in old]

    async def run(self) -> None:
        """Insert group after group until cancelled; while one is written the next one gathers."""
        while True:
            await self._arrived.wait()
            if self._expecting():
                await asyncio.sleep(self._company_s)
            if group := self._take():
                await self._insert(group)

    def _take(self) -> list[_Waiting]:
        size = rows = count = 0
        for waiting in self._waiting:
            if rows >= GROUP_ROWS or size >= GROUP_BYTES:
                break
            size, rows, count = size + waiting.size, rows + len(waiting.rows), count + 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        if not self._waiting:
            self._arrived.clear()
        return [waiting for waiting in group if not waiting.done.done()]

    async def _insert(self, group: Sequence[_Waiting]) -> None:
        rows = [row for waiting in group for row in waiting.rows]
        try:
            measures.INSERTS.inc()
            with stage("store-mail"):
                await self._collection.insert_many(rows, ordered=False)
            outcome = _Outcome()
        except BulkWriteError as error:
            outcome = _outcome(error, len(rows))
        except Exception as error:  # noqa: BLE001 - every session waits for an answer
            _log.warning("insert failed", rows=len(rows), error=type(error).__name__)
            outcome = _Outcome(unsure=set(range(len(rows))))
        _settle(group, outcome)


@dataclass
class _Outcome:
    """Indexes of the rows that were there before, and of those that may not be there."""

    old: set[int] = field(default_factory=set)
    unsure: set[int] = field(default_factory=set)


def _outcome(error: BulkWriteError, rows: int) -> _Outcome:
    details = error.details or {}
    if details.get("writeConcernErrors"):
        return _Outcome(unsure=set(range(rows)))
    outcome = _Outcome()
    for one in details.get("writeErrors", []):
        is_old = one.get("code") == DUPLICATE_KEY
        (outcome.old if is_old else outcome.unsure).add(int(one["index"]))
    return outcome


def _settle(group: Sequence[_Waiting], outcome: _Outcome) -> None:
    first = 0
    for waiting in group:
        own = range(first, first + len(waiting.rows))
        first = own.stop
        if waiting.done.done():
            continue  # its session gave up
        if outcome.unsure.isdisjoint(own):
            waiting.done.set_result({i - own.start for i in outcome.old.intersection(own)})
        else:
            waiting.done.set_exception(NotStoredError)
