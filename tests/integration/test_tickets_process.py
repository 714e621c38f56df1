"""tickets as a process on real Kafka and MongoDB: records in, events out."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer

from deploy.local.topics import create_topics
from shared.bus import Bus, Outgoing
from shared.clock import SystemClock
from shared.contracts import topics
from shared.contracts.base import Meta
from tests.builders import ANA, SUPPORT, a_mail
from tests.service_process import ServiceProcess

pytestmark = pytest.mark.stack

CONFIG = f"""
name: Example
host: desk.example
mailboxes: [{{address: {SUPPORT}, brand: Example, team: support}}]
teams: [{{name: support, members: [{ANA}]}}]
agents: [{{address: {ANA}, name: Ana}}]
"""


@pytest.fixture
def tickets(kafka: str, mongo: str, tmp_path: Path) -> ServiceProcess:
    (tmp_path / "desk.yaml").write_text(CONFIG)
    keys = {"current": 1, "keys": {"1": base64.b64encode(b"k" * 32).decode()}}
    (tmp_path / "keys.json").write_text(json.dumps(keys))
    settings = {
        "kafka": kafka,
        "mongo": mongo,
        "config": str(tmp_path / "desk.yaml"),
        "keys": str(tmp_path / "keys.json"),
    }
    return ServiceProcess("tickets", tmp_path, settings)


@pytest.fixture
async def events(kafka: str) -> AsyncIterator[AIOKafkaConsumer]:
    await create_topics(kafka)
    consumer = AIOKafkaConsumer(
        topics.TICKET_EVENTS.name, bootstrap_servers=kafka, auto_offset_reset="earliest"
    )
    await consumer.start()
    yield consumer
    await consumer.stop()


async def post(kafka: str, names: list[str]) -> None:
    bus = Bus(kafka=kafka, service="tests")
    now = SystemClock().now()
    await bus.publish(
        [
            Outgoing(
                topics.MAIL_RECEIVED,
                f"{name}@c.example",
                a_mail(inbound_id=name, from_addr=f"{name}@c.example", received_at=now),
                Meta(id=name, source="postdesk/ingest", time=now, correlation_id=name),
            )
            for name in names
        ]
    )
    await bus.stop()


async def heard(consumer: AIOKafkaConsumer, names: set[str], *, count: int) -> dict[str, list[str]]:
    """The types of the distinct events by the mail that began them, once there are so many."""
    by_mail: dict[str, dict[str, str]] = {name: {} for name in names}
    deadline = time.monotonic() + 60
    while any(len(found) < count for found in by_mail.values()):
        assert time.monotonic() < deadline, by_mail
        for records in (await consumer.getmany(timeout_ms=200)).values():
            for record in records:
                headers = {key: value.decode() for key, value in record.headers}
                # Other tests publish here too.
                if headers.get("ce_correlationid") in names:
                    found = by_mail[headers["ce_correlationid"]]
                    found[headers["ce_id"]] = headers["ce_type"]
    return {name: list(found.values()) for name, found in by_mail.items()}


async def test_mails_become_events_though_the_process_is_killed_in_between(
    kafka: str, tickets: ServiceProcess, events: AIOKafkaConsumer
) -> None:
    run = uuid4().hex[:6]
    names = [f"{run}-{number}" for number in range(60)]
    await asyncio.to_thread(tickets.start)

    await post(kafka, names[:30])
    await post(kafka, names[30:])
    tickets.kill()
    await asyncio.to_thread(tickets.start)
    found = await heard(events, set(names), count=3)
    await asyncio.to_thread(tickets.stop)

    opening = ["ticket.opened", "ticket.message-added", "ticket.assigned"]
    assert found == dict.fromkeys(names, opening)
