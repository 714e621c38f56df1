"""Commits offsets behind the work: one request at a time, the newest offsets win."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from shared import metrics
from shared.bus.records import RawRecord
from shared.logs import describe

INTERVAL_S = 0.25
COMMIT_S = 5.0
RETRY_S = 1.0

_log = structlog.get_logger(__name__)


class Commits(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka is untyped
    """Commits what was marked as done; what is lost here is only read once more.

    It must be told of the group's rebalances: while the group is joined anew nothing is committed.
    Such a commit is refused behind the member's own JoinGroup, whereupon aiokafka forgets the
    generation that it has just joined and joins again, which with the next commit never ends
    (aiokafka#727; Kafka's own client looks whether the generation has changed: KAFKA-9823).
    """

    def __init__(self) -> None:
        self._next: dict[TopicPartition, int] = {}
        self._marked = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._consumer: Any = None
        self._task: asyncio.Task[None] | None = None
        self._joining = False
        self._ending = asyncio.Event()

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
            self._ending.set()
            self._marked.set()
            await self._task

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Commit what is done before others get the partitions; no more until they are assigned."""
        self._joining = True
        async with self._one_at_a_time:
            if revoked and self._consumer is not None:
                await self._send()

    async def on_partitions_assigned(self, _assigned: Iterable[TopicPartition]) -> None:
        """Commit again."""
        self._joining = False

    async def _run(self) -> None:
        while not self._ending.is_set():
            await self._marked.wait()
            pause_s = INTERVAL_S if await self._commit() else RETRY_S
            # Not `wait_for`: before Python 3.12 it may swallow a cancellation.
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._ending.wait()
        await self._commit()

    async def _commit(self) -> bool:
        async with self._one_at_a_time:
            return not self._joining and await self._send()

    async def _send(self) -> bool:
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
            metrics.COMMITS_FAILED.inc()
            _log.warning("offsets not committed", error=describe(error))
            self._next = offsets | self._next
            self._marked.set()
            return False
        return True
