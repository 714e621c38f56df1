"""A bus without Kafka, for tests: the same reading, retrying and dead letters over lists.

The behaviour suite runs on this one and on the real one.
"""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from shared.bus.consuming import (
    DeadLetter,
    Handler,
    Patience,
    StoppedError,
    Surroundings,
    TopicReader,
)
from shared.bus.dead_letters import dead_letter_of
from shared.bus.producer import Encoded
from shared.bus.records import Headers, Outgoing, encode
from shared.contracts.topics import Topic


@dataclass
class StoredRecord:
    """A record as it lies on a topic."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass
class MemoryKafka:
    """Topics of one partition each, and how far each group has read them."""

    topics: dict[str, list[StoredRecord]] = field(default_factory=lambda: defaultdict(list))
    committed: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    grown: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def append(self, records: Sequence[Encoded]) -> None:
        """Add records to the ends of their topics."""
        async with self.grown:
            for topic, key, value, headers in records:
                log = self.topics[topic]
                now = int(time.time() * 1000)
                log.append(StoredRecord(topic, 0, len(log), now, key, value, headers))
            self.grown.notify_all()


async def _always() -> bool:
    return True


class MemoryBus:
    """Stands in for `Bus`: each of its topics is read by a task of its own."""

    def __init__(
        self,
        kafka: MemoryKafka,
        *,
        service: str = "test",
        are_dependencies_up: Callable[[], Awaitable[bool]] = _always,
        patience: Patience | None = None,
    ) -> None:
        self._kafka = kafka
        self._service = service
        self._patience = patience
        self._around = Surroundings(
            bury=self._bury, are_dependencies_up=are_dependencies_up, keep_membership=_nothing
        )
        self._readers: dict[str, tuple[TopicReader, int]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def batches(self, topic: Topic, handler: Handler, *, max_records: int = 200) -> None:
        """See `Bus.batches`."""
        if topic.name in self._readers:
            raise ValueError(f"{topic.name} has a handler already")
        reader = TopicReader(topic, handler, self._around, self._patience)
        self._readers[topic.name] = reader, max_records

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        """See `Bus.publish`; it never fails."""
        await self._kafka.append([(one.topic.name, *encode(one)) for one in outgoing])

    async def start(self) -> None:
        """Read from where the group was."""
        for name in self._readers:
            self._tasks.append(asyncio.create_task(self._read(name)))

    async def stop(self) -> None:
        """Finish the batches in hand, give back those that wait."""
        self._around.stopping.set()
        async with self._kafka.grown:
            self._kafka.grown.notify_all()
        await asyncio.gather(*self._tasks)
        self._tasks.clear()

    @property
    def trouble(self) -> str:
        """See `Bus.trouble`."""
        return self._around.trouble

    @property
    def halted(self) -> bool:
        """See `Bus.halted`."""
        return self._around.halted

    async def _read(self, name: str) -> None:
        reader, most = self._readers[name]
        place, log = (self._service, name), self._kafka.topics[name]
        while True:
            async with self._kafka.grown:
                await self._kafka.grown.wait_for(
                    lambda: (
                        self._around.stopping.is_set() or len(log) > self._kafka.committed[place]
                    )
                )
            if self._around.stopping.is_set():
                return
            start = self._kafka.committed[place]
            batch = log[start : start + most]
            with contextlib.suppress(StoppedError):
                await reader.read(batch)
                self._kafka.committed[place] = start + len(batch)

    async def _bury(self, letter: DeadLetter) -> None:
        name = self._readers[letter.raw.topic][0].topic.dead_letter_name
        await self._kafka.append([dead_letter_of(letter, service=self._service, topic_name=name)])


async def _nothing() -> None:
    return
