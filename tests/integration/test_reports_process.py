"""reports as a process on real Kafka and MongoDB: a report that is asked for leaves as a mail request."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from aiokafka import AIOKafkaConsumer

from deploy.local.topics import create_topics
from services.reports.domain.months import Month
from services.reports.store import Store
from shared.blobs import Blobs
from shared.bus import Bus, Outgoing
from shared.contracts import topics
from shared.contracts.base import Meta
from shared.contracts.requests import ReportMail
from shared.mongo import Client, connect, database
from tests.service_process import ServiceProcess
from tests.ticket_history import History, at

pytestmark = pytest.mark.stack

CONFIG = """
name: Example
host: desk.example
mailboxes: [{address: support@desk.example, brand: Example, team: support}]
teams: [{name: support, members: [ana@x.example]}]
agents: [{address: ana@x.example, name: Ana}]
"""
MEBIBYTE = 1024 * 1024


@pytest.fixture
async def mails(kafka: str) -> AsyncIterator[AIOKafkaConsumer]:
    await create_topics(kafka)
    consumer = AIOKafkaConsumer(
        topics.MAIL_REQUESTS.name, bootstrap_servers=kafka, auto_offset_reset="earliest"
    )
    await consumer.start()
    yield consumer
    await consumer.stop()


@pytest.fixture
async def client(mongo: str) -> AsyncIterator[Client]:
    client = connect(mongo)
    yield client
    client.close()


@pytest.fixture
async def reports(
    kafka: str, mongo: str, tmp_path: Path, mails: AIOKafkaConsumer
) -> AsyncIterator[ServiceProcess]:
    (tmp_path / "desk.yaml").write_text(CONFIG)
    settings = {"kafka": kafka, "mongo": mongo, "config": str(tmp_path / "desk.yaml")}
    process = ServiceProcess("reports", tmp_path, settings)
    await asyncio.to_thread(process.start)
    yield process
    await asyncio.to_thread(process.stop)


async def publish(kafka: str, history: History) -> None:
    bus = Bus(kafka=kafka, service="tests")
    for event in history.events:
        meta = Meta(id=f"{event.ticket_id}.{event.seq}", source="postdesk/tickets", time=event.at)
        await bus.publish([Outgoing(topics.TICKET_EVENTS, event.ticket_id, event, meta)])
    await bus.stop()


async def the_mail(mails: AIOKafkaConsumer, to: str, *, seconds: float = 60.0) -> ReportMail:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for records in (await mails.getmany(timeout_ms=200)).values():
            for record in records:
                if record.key == to.encode():
                    return ReportMail.model_validate_json(record.value)
    raise AssertionError(f"no mail to {to}")


async def is_known(store: Store, ticket_id: str, *, seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        rows = await store.tickets(at("2031-11-01 00:00"), at("2031-12-01 00:00"))
        if any(row.ticket_id == ticket_id and row.resolutions for row in rows):
            return True
        await asyncio.sleep(0.05)
    return False


async def test_a_report_asked_for_is_drawn_and_mailed_and_leaves_the_process_small(
    kafka: str, client: Client, mails: AIOKafkaConsumer, reports: ServiceProcess
) -> None:
    ticket_id, to = f"T-{uuid4().int % 10**9 + 1}", f"{uuid4().hex}@x.example"
    history = History("2031-11-20 09:00", ticket_id=ticket_id, subject="A ticket to report")
    history.agent_answers("2031-11-20 10:00")
    history.resolved("2031-11-20 12:00")
    store = Store(client, database(client, "reports"))

    await publish(kafka, history)
    assert await is_known(store, ticket_id)
    await store.ask(uuid4().hex, Month(2031, 11), "UTC", to, at("2031-11-21 00:00"))
    mail = await the_mail(mails, to)

    html = (await Blobs(client).get(mail.html_blob)).decode()
    pictures = [one for one in mail.attachments if one.inline]
    assert pictures
    assert all(f"cid:{one.content_id}" in html for one in pictures)
    (tickets,) = [one for one in mail.attachments if one.name.startswith("tickets")]
    assert ticket_id in (await Blobs(client).get(tickets.blob)).decode()
    assert psutil.Process(reports.pid).memory_info().rss < 120 * MEBIBYTE
