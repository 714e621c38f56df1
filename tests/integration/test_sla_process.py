"""sla as a process on real Kafka and MongoDB: time is moved through its clock file."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer

from deploy.local.topics import create_topics
from shared.bus import Bus, Outgoing
from shared.clock import SystemClock
from shared.contracts import topics
from shared.contracts.base import Meta
from tests.service_process import ServiceProcess
from tests.ticket_history import History

pytestmark = pytest.mark.stack

CONFIG = """
name: Example
host: desk.example
mailboxes: [{address: support@desk.example, brand: Example, team: support}]
teams: [{name: support, members: [ana@x.example]}]
agents: [{address: ana@x.example, name: Ana}]
calendars: {all: {timezone: UTC, week: always}}
sla: {policies: {standard: {calendar: all, targets: {normal: {first_response: 4h, resolution: 24h}}}}}
"""


class Told:
    """The ids of sla's records about one ticket, in the order of the topic, and what they say."""

    def __init__(self, consumer: AIOKafkaConsumer, ticket_id: str) -> None:
        self._consumer = consumer
        self._ticket_id = ticket_id
        self.ids: list[str] = []
        self.last: dict[str, Any] = {}

    async def until(self, wanted: str, *, seconds: float = 60.0) -> None:
        """Return when there is a record whose id begins so, or is it; ``last`` is the newest."""
        deadline = time.monotonic() + seconds
        while not any(name == wanted or name.startswith(f"{wanted}.") for name in self.ids):
            assert time.monotonic() < deadline, f"{wanted} is not in {self.ids}"
            for records in (await self._consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    if record.key == self._ticket_id.encode():
                        self.ids.append(dict(record.headers)["ce_id"].decode())
                        self.last = json.loads(record.value)


@pytest.fixture
async def told(kafka: str) -> AsyncIterator[Told]:
    await create_topics(kafka)
    consumer = AIOKafkaConsumer(
        topics.SLA_EVENTS.name, bootstrap_servers=kafka, auto_offset_reset="earliest"
    )
    await consumer.start()
    yield Told(consumer, f"T-{uuid4().int % 10**9 + 1}")
    await consumer.stop()


@pytest.fixture
def sla(kafka: str, mongo: str, tmp_path: Path, told: Told) -> ServiceProcess:
    (tmp_path / "desk.yaml").write_text(CONFIG)
    settings = {
        "kafka": kafka,
        "mongo": mongo,
        "config": str(tmp_path / "desk.yaml"),
        "clock_file": str(tmp_path / "clock"),
    }
    return ServiceProcess("sla", tmp_path, settings)


async def publish(kafka: str, history: History) -> None:
    bus = Bus(kafka=kafka, service="tests")
    records = [
        Outgoing(
            topics.TICKET_EVENTS,
            event.ticket_id,
            event,
            Meta(id=f"{event.ticket_id}.{event.seq}", source="postdesk/tickets", time=event.at),
        )
        for event in history.events
    ]
    await bus.publish(records)
    await bus.stop()


async def test_a_clock_warns_and_runs_out_once_though_sla_is_killed_in_between(
    kafka: str, tmp_path: Path, sla: ServiceProcess, told: Told
) -> None:
    now = SystemClock().now()
    ticket_id = told._ticket_id
    history = History(now.strftime("%Y-%m-%d %H:%M"), ticket_id=ticket_id)
    await asyncio.to_thread(sla.start)

    await publish(kafka, history)
    await told.until(f"{ticket_id}.1.clocks")
    (tmp_path / "clock").write_text(str(3.5 * 3600))
    await told.until(f"{ticket_id}.first-response.1.warned")
    sla.kill()
    (tmp_path / "clock").write_text(str(30 * 3600))
    await asyncio.to_thread(sla.start)
    await told.until(f"{ticket_id}.resolution.1.ran-out")
    history.resolved(now.strftime("%Y-%m-%d %H:%M"))
    await publish(kafka, history)
    await told.until(f"{ticket_id}.2.clocks")
    await asyncio.to_thread(sla.stop)

    once = list(dict.fromkeys(told.ids))
    assert once == [
        f"{ticket_id}.1.clocks",
        f"{ticket_id}.first-response.1.warned",
        f"{ticket_id}.first-response.1.ran-out",
        f"{ticket_id}.resolution.1.warned",
        f"{ticket_id}.resolution.1.ran-out",
        f"{ticket_id}.2.clocks",
    ]


async def test_another_configuration_counts_at_once_and_what_was_told_is_not_told_again(
    kafka: str, tmp_path: Path, sla: ServiceProcess, told: Told
) -> None:
    opened_at = SystemClock().now().replace(second=0, microsecond=0)
    ticket_id = told._ticket_id
    await asyncio.to_thread(sla.start)
    await publish(kafka, History(opened_at.strftime("%Y-%m-%d %H:%M"), ticket_id=ticket_id))
    (tmp_path / "clock").write_text(str(5 * 3600))
    await told.until(f"{ticket_id}.first-response.1.ran-out")
    await asyncio.to_thread(sla.stop)

    (tmp_path / "desk.yaml").write_text(CONFIG.replace("24h", "12h").replace(" 4h", " 10h"))
    told.ids = [name for name in told.ids if not name.startswith(f"{ticket_id}.1.clocks")]
    await asyncio.to_thread(sla.start)
    await told.until(f"{ticket_id}.1.clocks")
    due = {one["target"]: datetime.fromisoformat(one["due_at"]) for one in told.last["clocks"]}
    (tmp_path / "clock").write_text(str(13 * 3600))
    await told.until(f"{ticket_id}.resolution.1.ran-out")
    await asyncio.to_thread(sla.stop)

    assert due["resolution"] - opened_at == timedelta(hours=12)
    assert due["first-response"] - opened_at == timedelta(hours=10)
    told_by_clocks = [name for name in told.ids if ".clocks" not in name]
    assert sorted(told_by_clocks) == [
        f"{ticket_id}.first-response.1.ran-out",
        f"{ticket_id}.first-response.1.warned",
        f"{ticket_id}.resolution.1.ran-out",
        f"{ticket_id}.resolution.1.warned",
    ]
