"""Commits offsets behind the work: one request at a time, the newest offsets win."""

import asyncio
from collections.abc import Iterable
from typing import Any

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from shared.bus.records import RawRecord
from shared.logs import describe

INTERVAL_S = 0.25
COMMIT_S = 5.0
RETRY_S = 1.0

_log = structlog.get_logger(__name__)


class Commits:
    """Commits what was marked as done; what is lost here is only read once more."""

    def __init__(self) -> None:
        self._next: dict[TopicPartition, int] = {}
        self._marked = asyncio.Event()
        self._consumer: Any = None
        self._task: asyncio.Task[None] | None = None
        self._ending = False

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
            self._ending = True
            self._marked.set()
            await self._task

    async def _run(self) -> None:
        while not self._ending:
            await self._marked.wait()
            committed = await self._commit()
            if not self._ending:
                await asyncio.sleep(INTERVAL_S if committed else RETRY_S)
        await self._commit()

    async def _commit(self) -> bool:
        self._marked.clear()
        assigned = self._consumer.assignment()
        # A partition that moved to another process is that one's to commit.
        offsets = {tp: offset for tp, offset in self._next.items() if tp in assigned}
        self._next.clear()
        if not offsets:
            return True
        try:
            async with asyncio.timeout(COMMIT_S):
                await self._consumer.commit(offsets)
        except (KafkaError, OSError) as error:
            _log.warning("offsets not committed", error=describe(error))
            self._next = offsets | self._next
            self._marked.set()
            return False
        return True
