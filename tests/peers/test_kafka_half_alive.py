"""A real Kafka whose mapped index could not be written, since its disk was full for a moment."""

import asyncio
import os
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import UnknownError

from deploy.local import folders
from deploy.local.providers.choice import no_progress
from deploy.local.providers.embedded_kafka import EmbeddedKafka
from deploy.local.supervisor import Supervisor
from tests.bus_records import until
from tests.faults import disks

pytestmark = [pytest.mark.peers, pytest.mark.timeout(180)]

TOPIC = "notes"
MORE_THAN_AN_INDEX_ENTRY = 4500
"""Bytes after which Kafka writes to the index (index.interval.bytes is 4096).

With them the log's second page has been begun, so the next record has room on the full disk,
while the index has no page yet.
"""


async def test_kafka_that_refuses_records_after_a_full_disk_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disks, "SIZE_MIB", 300)
    folder, said = tmp_path / "kafka", []
    kafka = EmbeddedKafka(
        folder, cache=folders.cache_dir(), log=tmp_path / "kafka.log", progress=no_progress
    )
    supervisor = Supervisor(said.append)
    with disks.small_disks(folder):
        kafka.launch()
        kafka.wait_ready()
        try:
            await _break_the_index(kafka, folder)
            process = kafka.child
            supervisor.watch(kafka)
            await until(supervisor.look_after, seconds=60)
            await asyncio.to_thread(kafka.wait_ready)
            await _send(kafka, b"after")
        finally:
            kafka.kill()

    assert process is not kafka.child
    assert said == ["kafka ended by itself; started again in 1 s"]


async def _break_the_index(kafka: EmbeddedKafka, folder: Path) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, 1, 1)])
    await admin.close()
    await _send(kafka, os.urandom(MORE_THAN_AN_INDEX_ENTRY))
    disks.fill(folder)
    for _ in range(2):
        with pytest.raises(UnknownError):
            await _send(kafka, b"refused")
    disks.empty(folder)
    assert kafka.child.is_running


async def _send(kafka: EmbeddedKafka, value: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka.address, acks="all") as producer:
        await producer.send_and_wait(TOPIC, value)
