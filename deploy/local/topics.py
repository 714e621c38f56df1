"""Creates the topics of ``shared.contracts``; brokers here never create one by mistake."""

import asyncio
import sys
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.contracts.topics import TOPICS, Topic

DAY_MS = 24 * 60 * 60 * 1000
LEADERS_MS = 120_000  # a busy machine takes most of a minute for 180 partitions
MANY_BROKERS = 3  # from here on three copies are kept, two of which must have a record


def settings_of(topic: Topic, *, brokers: int) -> dict[str, str]:
    """Return the topic's settings on a cluster of that size."""
    settings = {"cleanup.policy": "compact"} if topic.compacted else {}
    if not topic.compacted:
        settings["retention.ms"] = str(topic.retention_days * DAY_MS)
    if brokers >= MANY_BROKERS:
        settings["min.insync.replicas"] = "2"
    return settings


def new_topics(topics: Sequence[Topic] = TOPICS, *, brokers: int) -> list[NewTopic]:
    """Return the topics and their dead-letter topics, which keep records as long as they can."""
    copies = 3 if brokers >= MANY_BROKERS else 1
    wanted = []
    for topic in topics:
        settings = settings_of(topic, brokers=brokers)
        wanted.append((topic.name, topic.partitions, settings))
        if topic.dead_letters:
            dead = {**settings, "cleanup.policy": "delete", "retention.ms": "-1"}
            wanted.append((topic.dead_letter_name, topic.partitions, dead))
    return [
        NewTopic(name, partitions, copies, topic_configs=settings)
        for name, partitions, settings in wanted
    ]


async def create_topics(bootstrap: str, topics: Sequence[Topic] = TOPICS) -> list[str]:
    """Create what is missing and return its names; topics that exist are left as they are.

    Afterwards every partition can be written and read.

    Raises:
        KafkaError: the broker refused one.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        cluster = await admin.describe_cluster()
        existing = set(await admin.list_topics())
        wanted = new_topics(topics, brokers=len(cluster["brokers"]))
        missing = [topic for topic in wanted if topic.name not in existing]
        if missing:
            _check(await admin.create_topics(missing))
            await _wait_for_leaders(bootstrap, missing)
        return [topic.name for topic in missing]
    finally:
        await admin.close()


async def _wait_for_leaders(bootstrap: str, topics: list[NewTopic]) -> None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, group_id=None, request_timeout_ms=LEADERS_MS
    )
    await consumer.start()
    try:
        # Only a partition's leader can say its end; the client asks until one does.
        await consumer.end_offsets(
            [TopicPartition(topic.name, n) for topic in topics for n in range(topic.num_partitions)]
        )
    finally:
        await consumer.stop()


def _check(response: object) -> None:
    for name, code, *reason in response.topic_errors:  # type: ignore[attr-defined]
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise error(f"{name}: {reason}")


if __name__ == "__main__":
    for name in asyncio.run(create_topics(sys.argv[1])):
        print(f"created {name}")
