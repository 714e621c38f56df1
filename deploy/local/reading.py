"""Reads what lies on topics, from their beginnings to their ends as of now, in no group."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.local.errors import StackError

ANSWER_S = 20.0
POLL_MS = 1_000


@asynccontextmanager
async def reader(bootstrap: str) -> AsyncIterator["Reader"]:
    """Give a reader of this Kafka.

    Raises:
        StackError: Kafka does not answer, then or later.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None)
    try:
        async with asyncio.timeout(ANSWER_S):
            await admin.start()
            await consumer.start()
        yield Reader(admin, consumer)
    except (KafkaError, TimeoutError, OSError) as error:
        remedy = "'postdesk status' shows whether it runs."
        raise StackError(f"Kafka at {bootstrap} does not answer.", remedy=remedy) from error
    finally:
        await consumer.stop()
        await admin.close()


@dataclass(frozen=True)
class Reader:
    """Clients of one Kafka: of what there is, and of what it holds."""

    admin: Any
    consumer: Any


async def records_of(at: Reader, topics: Iterable[str]) -> AsyncIterator[Any]:
    """Give all records of these topics, those of one partition in their order.

    A topic that does not exist has none.
    """
    places, consumer = await _places(at.admin, topics), at.consumer
    if not places:
        return
    consumer.assign(places)
    async with asyncio.timeout(ANSWER_S):
        begins = await consumer.beginning_offsets(places)
        ends = await consumer.end_offsets(places)
    left = {place for place in places if ends[place] > begins[place]}
    for place in left:
        consumer.seek(place, begins[place])
    while left:
        async with asyncio.timeout(ANSWER_S):
            found = await consumer.getmany(*left, timeout_ms=POLL_MS)
        for place, records in found.items():
            for record in records:
                if record.offset < ends[place]:
                    yield record
        # Not the last record's offset: compaction leaves holes at the end too.
        left = {place for place in left if await consumer.position(place) < ends[place]}


async def times_of(
    at: Reader, offsets: Mapping[tuple[str, int], int]
) -> dict[tuple[str, int], datetime]:
    """When the first records at or after these offsets were written, by topic and partition."""
    times: dict[tuple[str, int], datetime] = {}
    consumer = at.consumer
    for (topic, partition), offset in offsets.items():
        place = TopicPartition(topic, partition)
        consumer.assign([place])
        consumer.seek(place, offset)
        async with asyncio.timeout(ANSWER_S):
            found = await consumer.getmany(place, timeout_ms=POLL_MS, max_records=1)
        for record in found.get(place, []):
            times[topic, partition] = written_at(record)
    return times


def written_at(record: Any) -> datetime:
    """When a record was written."""
    return datetime.fromtimestamp(record.timestamp / 1000, UTC)


async def _places(admin: Any, topics: Iterable[str]) -> list[TopicPartition]:
    async with asyncio.timeout(ANSWER_S):
        described = await admin.describe_topics(list(topics))
    return [
        TopicPartition(topic["topic"], row["partition"])
        for topic in described
        if not topic["error_code"]
        for row in sorted(topic["partitions"], key=lambda row: int(row["partition"]))
    ]
