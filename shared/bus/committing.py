"""Commits offsets behind the work: one request at a time, the newest offsets win."""

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Any

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from shared.bus.records import RawRecord
from shared.logs import describe

INTERVAL_S = 0.05
COMMIT_S = 5.0

_log = structlog.get_logger(__name__)


class Commits:
    """Commits what was marked as done; what is lost here is only read once more."""

    def __init__(self) -> None:
        self._next: dict[TopicPartition, int] = {}
        self._marked = asyncio.Event()
        self._consumer: Any = None
        self._task: asyncio.Task[None] | None = None

    def start(self, consumer: Any) -> None:
        """Commit through this consumer from now on."""
        self._consumer = consumer
        self._task = asyncio.create_task(self._run(), name="commits")

    def done(self, records: Iterable[RawRecord]) -> None:
        """Mark records as done; all before them in their partitions must be done too."""
        for record in records:
            self._next[TopicPartition(record.topic, record.partition)] = record.offset + 1
        self._marked.set()

    async def stop(self) -> None:
        """Commit what is marked and end."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
            await self._commit()

    async def _run(self) -> None:
        while True:
            await self._marked.wait()
            await self._commit()
            await asyncio.sleep(INTERVAL_S)

    async def _commit(self) -> None:
        self._marked.clear()
        assigned = self._consumer.assignment()
        # A partition that moved to another process is that one's to commit.
        offsets = {tp: offset for tp, offset in self._next.items() if tp in assigned}
        self._next.clear()
        if not offsets:
            return
        try:
            await asyncio.wait_for(self._consumer.commit(offsets), COMMIT_S)
        except (KafkaError, OSError) as error:
            _log.warning("offsets not committed", error=describe(error))
            self._next = offsets | self._next
