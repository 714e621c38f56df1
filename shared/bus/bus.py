"""The bus of one service: one consumer for all its topics, and one producer."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from itertools import chain
from typing import Any

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker

from shared import metrics
from shared.bus import connection
from shared.bus.committing import Commits
from shared.bus.consuming import (
    DeadLetter,
    Handler,
    Patience,
    StoppedError,
    Surroundings,
    TopicReader,
)
from shared.bus.dead_letters import dead_letter_of
from shared.bus.pace import PROMPT, Pace
from shared.bus.producer import PUBLISH_S, Producer
from shared.bus.records import Outgoing, encode
from shared.bus.subscribing import STOP_S, Subscription, subscribed
from shared.company import Company
from shared.contracts.topics import Topic
from shared.logs import describe

PROBE_S = 5.0
PRESSING_RECORDS = 12
"""After so many records at once, others are waited for, until there are `ENOUGH_RECORDS`."""
ENOUGH_RECORDS = 64
_NOWHERE = TopicPartition("", 0)

_log = structlog.get_logger(__name__)


async def _always() -> bool:
    return True


class Bus:
    """Reads batches and publishes; at least once both ways.

    ``instance`` makes the group membership static: it must differ between processes of a service
    on one machine, and lets a restarted one go on at once. ``are_dependencies_up`` is asked
    before a failure is taken for a bug, beside Kafka itself.
    """

    def __init__(
        self,
        *,
        kafka: str,
        service: str,
        instance: str = "",
        are_dependencies_up: Callable[[], Awaitable[bool]] = _always,
        patience: Patience | None = None,
        publish_s: float = PUBLISH_S,
        pace: Pace = PROMPT,
    ) -> None:
        connection.mend()
        self.name = "bus"
        self._servers = [server.strip() for server in kafka.split(",")]
        self._service = service
        self._instance = instance
        self._pace = pace
        self._patience = patience or Patience()
        self._other_dependencies_up = are_dependencies_up
        self._around = Surroundings(
            bury=self._bury,
            are_dependencies_up=self._are_dependencies_up,
            keep_membership=self._keep_membership,
        )
        self._readers: dict[str, TopicReader] = {}
        self._max_records: dict[str, int] = {}
        self._producer = Producer(self._servers, self._client_id, publish_s=publish_s)
        self._broker: KafkaBroker | None = None
        self._subscriber: Any = None
        self._commits = Commits()
        self._in_hand: dict[TopicPartition, int] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self._company = Company(PRESSING_RECORDS, enough=ENOUGH_RECORDS)
        self.done = 0

    def batches(self, topic: Topic, handler: Handler, *, max_records: int = 200) -> None:
        """Have ``handler`` called with up to that many records of the topic; before `start` only.

        The handler stores all of the batch or nothing, and the same batch again changes nothing.
        What the batch causes must be stored when it returns.
        """
        if topic.name in self._readers:
            raise ValueError(f"{topic.name} has a handler already")
        self._readers[topic.name] = TopicReader(topic, handler, self._around, self._patience)
        self._max_records[topic.name] = max_records
        metrics.expect(topic.name)

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        """Return when all are acknowledged; raises `PublishError` when that is not known.

        Records of one key keep their order. A record that cannot be encoded raises before
        anything is sent.
        """
        encoded = [(one.topic.name, *encode(one)) for one in outgoing]
        if encoded:
            await self._producer.publish(encoded)
            for name, count in Counter(one.topic.name for one in outgoing).items():
                metrics.PUBLISHED.labels(name).inc(count)

    async def start(self) -> None:
        """Join the consumer group; Kafka must answer and the topics must exist.

        Raises KafkaError otherwise, with nothing left open.
        """
        if not self._readers:
            return
        self._broker, self._subscriber = subscribed(
            Subscription(
                servers=self._servers,
                client_id=self._client_id,
                group=self._service,
                member_id=self._member_id(),
                topics=tuple(self._readers),
                pace=self._pace,
            ),
            self._on_record,
            self._commits,
        )
        try:
            await self._broker.start()
        except BaseException:
            await self.stop_reading()
            raise
        self._commits.start(self._subscriber.consumer)
        _log.info("reading", topics=sorted(self._readers), member=self._client_id)

    async def stop_reading(self) -> None:
        """Finish the batch in hand within 10 s, commit and leave; nothing is read afterwards."""
        self._around.stopping.set()
        broker, self._broker = self._broker, None
        if broker is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await self._idle.wait()
        await self._commits.stop()
        with contextlib.suppress(KafkaError, OSError):
            async with asyncio.timeout(STOP_S):
                await broker.stop()

    async def stop(self) -> None:
        """Stop reading and close the producer."""
        await self.stop_reading()
        await self._producer.close()

    async def is_answering(self) -> bool:
        """Say whether Kafka answers, within 5 s."""
        return await self._producer.is_answering()

    @property
    def trouble(self) -> str:
        """Why reading stands still, or nothing."""
        return self._around.trouble

    @property
    def halted(self) -> bool:
        """Whether reading was stopped on purpose, after too many dead letters in a row."""
        return self._around.halted

    async def waiting(self) -> int:
        """Count what should be read now: nothing where reading was stopped on purpose."""
        lag = sum((await self.lag()).values())
        return 0 if self.halted else lag

    async def lag(self) -> dict[str, int]:
        """Count the records of each topic read that are not handled yet; raises KafkaError."""
        counts = dict.fromkeys(self._readers, 0)
        if self._broker is None:
            return counts
        consumer = self._subscriber.consumer
        async with asyncio.timeout(PROBE_S):
            ends = await consumer.end_offsets(list(consumer.assignment()))
            for tp, end in ends.items():
                position = self._in_hand.get(tp)
                if position is None:
                    position = await consumer.position(tp)
                counts[tp.topic] += max(0, end - position)
        for topic, count in counts.items():
            metrics.LAG.labels(topic).set(count)
        return counts

    @property
    def _client_id(self) -> str:
        return f"{self._service}-{self._instance}" if self._instance else self._service

    def _member_id(self) -> str | None:
        """Give the static member's name, other for other topics.

        A static member that comes back is handed its old assignment unasked, so a release that
        reads one topic more under the same name would never get it, and one less would fail.
        """
        if not self._instance:
            return None
        topics = sha256(" ".join(sorted(self._readers)).encode()).hexdigest()[:8]
        return f"{self._client_id}-{topics}"

    async def _on_record(self, first: Any) -> None:
        """Take what else has arrived along with the first record; let no exception out.

        FastStream logs and forgets those, and a later commit would pass over the records.
        """
        if self._around.stopping.is_set():
            return
        self._idle.clear()
        try:
            records = await self._with_company(first)
            await self._read(records)
            self._company.came(len(records))
        except StoppedError:
            _log.info("batch given back, the process ends")
        except Exception:  # noqa: BLE001 - see above; the watchdog will end the process
            _log.exception("reading broke off")
            await self._around.stopping.wait()
        finally:
            self._in_hand.clear()
            self._idle.set()

    async def _with_company(self, first: Any) -> list[Any]:
        records = [first]
        self._take_in_hand(records)

        async def count() -> int:
            more = await self._waiting()
            self._take_in_hand(more)
            records.extend(more)
            return len(records)

        if self._company.is_expected:
            await self._stand_back(first)
        await self._company.gather(count, sleep=self._around.pause)
        return records

    async def _stand_back(self, first: Any) -> None:
        # Another machine's clock may be ahead; that must not make the wait longer.
        age_s: float = max(0.0, time.time() - first.timestamp / 1000)
        if age_s < self._pace.stands_back_s:
            await self._around.pause(self._pace.stands_back_s - age_s)

    def _take_in_hand(self, records: Sequence[Any]) -> None:
        for record in records:
            self._in_hand.setdefault(TopicPartition(record.topic, record.partition), record.offset)

    async def _waiting(self) -> list[Any]:
        most = max(self._max_records.values()) - 1
        if most < 1:
            return []
        try:
            more = await self._subscriber.consumer.getmany(timeout_ms=0, max_records=most)
        except KafkaError:
            return []  # it will be raised again when the next record is asked for
        return list(chain.from_iterable(more.values()))

    async def _read(self, records: list[Any]) -> None:
        by_topic: dict[str, list[Any]] = {}
        for record in records:
            by_topic.setdefault(record.topic, []).append(record)
        for name, all_of_topic in by_topic.items():
            size = self._max_records[name]
            for start in range(0, len(all_of_topic), size):
                batch = all_of_topic[start : start + size]
                await self._readers[name].read(batch)
                self._commits.done(batch)
                self.done += len(batch)

    async def _bury(self, letter: DeadLetter) -> None:
        name = self._readers[letter.raw.topic].topic.dead_letter_name
        record = dead_letter_of(letter, service=self._service, topic_name=name)
        await self._producer.publish([record])
        _log.error(
            "dead letter",
            topic=letter.raw.topic,
            partition=letter.raw.partition,
            offset=letter.raw.offset,
            tries=letter.tries,
            error=describe(letter.error),
        )

    async def _are_dependencies_up(self) -> bool:
        return await self._other_dependencies_up() and await self.is_answering()

    async def _keep_membership(self) -> None:
        """Ask for records of no partition: the group must see that this process is alive.

        aiokafka leaves the group when it is not asked for `max_poll_interval_ms`.
        """
        with contextlib.suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(1.0):
                await self._subscriber.consumer.getmany(_NOWHERE, timeout_ms=0)
