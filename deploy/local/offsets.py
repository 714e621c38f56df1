"""How far topics are written and how far consumer groups have read."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.local.errors import StackError
from shared.contracts.topics import TOPICS

ANSWER_S = 20.0


@dataclass
class TopicState:
    """One topic; offsets by partition, lag in records by consumer group.

    ``unread`` has the first unread offsets of each group that lags, by partition.
    """

    name: str
    partitions: int
    end_offsets: dict[int, int]
    begin_offsets: dict[int, int]
    lag: dict[str, int] = field(default_factory=dict)
    unread: dict[str, dict[int, int]] = field(default_factory=dict)

    @property
    def records(self) -> int:
        """Records that can still be read."""
        return sum(self.end_offsets.values()) - sum(self.begin_offsets.values())

    def shown(self) -> dict[str, Any]:
        """Return what ``--json`` shows."""
        return {
            "topic": self.name,
            "partitions": self.partitions,
            "end_offsets": self.end_offsets,
            "records": self.records,
            "lag": self.lag,
        }


async def topic_states(bootstrap: str) -> list[TopicState]:
    """Return this project's topics that exist, in the order of the contracts.

    Raises:
        StackError: Kafka does not answer.
    """
    names = [n for t in TOPICS for n in (t.name, t.dead_letter_name)]
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None)
    try:
        async with asyncio.timeout(ANSWER_S):
            await admin.start()
            await consumer.start()
            existing = {
                t["topic"]: t for t in await admin.describe_topics(names) if not t["error_code"]
            }
            states = await _written(consumer, {n: existing[n] for n in names if n in existing})
            await _add_lag(admin, states)
    except (KafkaError, TimeoutError, OSError) as error:
        remedy = "'postdesk status' shows whether it runs."
        raise StackError(f"Kafka at {bootstrap} does not answer.", remedy=remedy) from error
    finally:
        await consumer.stop()
        await admin.close()
    return list(states.values())


async def _written(consumer: AIOKafkaConsumer, topics: dict[str, Any]) -> dict[str, TopicState]:
    places = [
        TopicPartition(name, row["partition"])
        for name, t in topics.items()
        for row in t["partitions"]
    ]
    ends = await consumer.end_offsets(places)
    begins = await consumer.beginning_offsets(places)
    return {
        name: TopicState(
            name=name,
            partitions=len(topic["partitions"]),
            end_offsets={p.partition: o for p, o in sorted(ends.items()) if p.topic == name},
            begin_offsets={p.partition: o for p, o in sorted(begins.items()) if p.topic == name},
        )
        for name, topic in topics.items()
    }


async def _add_lag(admin: AIOKafkaAdminClient, states: dict[str, TopicState]) -> None:
    """A partition of which a group has committed nothing counts from its beginning."""
    for group, *_ in await admin.list_consumer_groups():
        committed = await admin.list_consumer_group_offsets(group)
        reads = {topic.name for topic in TOPICS if group in topic.readers}
        for name in reads | {place.topic for place in committed}:
            if state := states.get(name):
                positions = {
                    partition: _position(committed, name, partition, state.begin_offsets)
                    for partition in state.end_offsets
                }
                behind = {p: max(0, state.end_offsets[p] - at) for p, at in positions.items()}
                state.lag[group] = sum(behind.values())
                state.unread[group] = {p: positions[p] for p, lag in behind.items() if lag}


def _position(committed: Any, topic: str, partition: int, begins: dict[int, int]) -> int:
    known = committed.get(TopicPartition(topic, partition))
    offset: int = known.offset if known else -1
    return offset if offset >= 0 else begins.get(partition, 0)
