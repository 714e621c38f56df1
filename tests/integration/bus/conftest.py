from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local import folders
from deploy.local.providers.choice import no_progress
from deploy.local.providers.embedded_kafka import EmbeddedKafka
from deploy.local.providers.embedded_mongo import EmbeddedMongo
from shared.contracts.topics import Topic
from tests.bus_records import a_topic

MakeTopic = Callable[[str], Awaitable[Topic]]


@pytest.fixture
def new_topic() -> MakeTopic:
    """Creates a topic and its dead letters on the Kafka at an address."""

    async def create(kafka: str) -> Topic:
        topic = a_topic()
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await admin.start()
        names = (topic.name, topic.dead_letter_name)
        await admin.create_topics([NewTopic(name, topic.partitions, 1) for name in names])
        await admin.close()
        return topic

    return create


@pytest.fixture(scope="session")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """A broker that a test may stop and kill."""
    folder = tmp_path_factory.mktemp("kafka")
    kafka = EmbeddedKafka(
        folder, cache=folders.cache_dir(), log=folder / "kafka.log", progress=no_progress
    )
    kafka.launch()
    kafka.wait_ready()
    yield kafka
    kafka.kill()


@pytest.fixture
def own_mongo(tmp_path: Path) -> Iterator[EmbeddedMongo]:
    """A MongoDB that a test may stop and kill."""
    mongo = EmbeddedMongo(tmp_path / "mongo", log=tmp_path / "mongo.log")
    mongo.launch()
    mongo.wait_ready()
    yield mongo
    mongo.kill()
