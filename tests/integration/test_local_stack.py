import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from pymongo import MongoClient

from deploy.local import folders
from deploy.local.offsets import topic_states
from deploy.local.providers.choice import no_progress
from deploy.local.providers.embedded_kafka import EmbeddedKafka
from deploy.local.providers.embedded_mongo import EmbeddedMongo
from deploy.local.topics import create_topics
from shared.contracts.topics import MAIL_RECEIVED, TOPICS

pytestmark = pytest.mark.stack

GROUP = "reader-of-the-local-stack"


@pytest.fixture
def a_kafka(tmp_path: Path) -> Iterator[Callable[[], EmbeddedKafka]]:
    made: list[EmbeddedKafka] = []

    def make() -> EmbeddedKafka:
        server = EmbeddedKafka(
            tmp_path / "kafka",
            cache=folders.cache_dir(),
            log=tmp_path / "kafka.log",
            progress=no_progress,
        )
        made.append(server)
        return server

    yield make
    for server in made:
        server.stop()


@pytest.fixture
def a_mongo(tmp_path: Path) -> Iterator[Callable[[], EmbeddedMongo]]:
    made: list[EmbeddedMongo] = []

    def make() -> EmbeddedMongo:
        server = EmbeddedMongo(tmp_path / "mongo", log=tmp_path / "mongo.log")
        made.append(server)
        return server

    yield make
    for server in made:
        server.stop()


def started(server):
    server.launch()
    server.wait_ready()
    return server


def test_mongodb_undoes_a_transaction_that_is_aborted(mongo: str) -> None:
    with MongoClient(mongo) as client:
        rows = client.local_stack.rows
        with client.start_session() as session:
            session.start_transaction()
            rows.insert_one({"kept": False}, session=session)
            session.abort_transaction()

        assert rows.count_documents({}) == 0


def test_mongodb_keeps_its_data_when_it_starts_again_at_another_port(a_mongo) -> None:
    first = started(a_mongo())
    with MongoClient(first.address) as client:
        client.local_stack.rows.insert_one({"_id": 1})
    first.stop()

    again = started(a_mongo())

    assert again.address != first.address
    with MongoClient(again.address) as client, client.start_session() as session:
        with session.start_transaction():
            client.local_stack.rows.insert_one({"_id": 2}, session=session)
        assert client.local_stack.rows.count_documents({}) == 2


def test_mongodb_comes_back_at_its_port_after_a_crash(a_mongo) -> None:
    server = started(a_mongo())
    with MongoClient(server.address) as client:
        client.local_stack.rows.insert_one({"_id": 1})
        server.kill()
        assert not server.is_alive()

        started(server)

        assert client.local_stack.rows.find_one() == {"_id": 1}


async def write(bootstrap: str, *values: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        for value in values:
            await producer.send(MAIL_RECEIVED.name, value, partition=0)


async def read_one_and_commit(bootstrap: str) -> bytes:
    async with AIOKafkaConsumer(
        MAIL_RECEIVED.name,
        bootstrap_servers=bootstrap,
        group_id=GROUP,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    ) as consumer:
        record = await asyncio.wait_for(consumer.getone(), 60)
        place = TopicPartition(record.topic, record.partition)
        await consumer.commit({place: record.offset + 1})
        return record.value


async def test_kafka_keeps_records_and_offsets_when_it_starts_again_at_another_port(
    a_kafka,
) -> None:
    first = started(a_kafka())
    assert set(await create_topics(first.address)) >= {topic.name for topic in TOPICS}
    await write(first.address, b"one", b"two")
    assert await read_one_and_commit(first.address) == b"one"
    first.stop()

    again = started(a_kafka())

    assert again.address != first.address
    assert await create_topics(again.address) == []
    assert await read_one_and_commit(again.address) == b"two"
    [state] = [s for s in await topic_states(again.address) if s.name == MAIL_RECEIVED.name]
    assert (state.end_offsets[0], state.lag[GROUP]) == (2, 0)


async def test_a_topic_that_nobody_made_is_not_made_by_asking(kafka: str) -> None:
    from aiokafka.admin import AIOKafkaAdminClient

    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()

    await admin.describe_topics(["mistyped"])

    existing = await admin.list_topics()
    await admin.close()
    assert "mistyped" not in existing


def test_kafka_and_mongodb_can_be_run_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deploy.local.providers", str(tmp_path)]
    env = {k: v for k, v in os.environ.items() if k not in {"POSTDESK_KAFKA", "POSTDESK_MONGO"}}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as both:
        assert both.stdout
        shown = [both.stdout.readline() for _ in range(2)]

        both.terminate()
        code = both.wait(60)

    assert [line.partition("=")[0] for line in shown] == [
        "export POSTDESK_KAFKA",
        "export POSTDESK_MONGO",
    ]
    assert code == 0
