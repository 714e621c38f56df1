"""notify as a process between real Kafka, MongoDB and a relay; killed, it sends what is missing."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.local.topics import create_topics
from shared.bus import Bus, Outgoing
from shared.contracts import topics
from shared.contracts.base import Meta
from tests.actors.sink import Sink
from tests.service_process import ServiceProcess
from tests.ticket_history import History
from tests.unit.notify.cases import ANA, EMMA, ROOT

pytestmark = pytest.mark.stack


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with Sink() as running:
        yield running


@pytest.fixture
async def notify(
    kafka: str, mongo: str, tmp_path: Path, sink: Sink
) -> AsyncIterator[ServiceProcess]:
    await create_topics(kafka)
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"current": 1, "keys": {"1": "a2tr" * 10 + "a2s="}}))
    process = ServiceProcess(
        "notify",
        tmp_path,
        {
            "kafka": kafka,
            "mongo": mongo,
            "keys": str(keys),
            "config": str(ROOT / "deploy" / "presets" / "demo.yaml"),
            "relay": sink.address,
            "instance": uuid4().hex[:6],
        },
    )
    process.start()
    yield process
    process.stop()


def a_ticket() -> History:
    told = History(ticket_id=f"T-{uuid4().int % 10**9 + 1}", requester_name="Emma Brand")
    told.customer_writes(
        "2026-11-20 09:00",
        from_addr=EMMA,
        reply_text="There is no dial tone.",
        message_id=f"{uuid4().hex}@harbour-bakery.example",
        event={"acknowledge": True},
    )
    told.assigned("2026-11-20 09:00", ANA)
    return told


async def publish(kafka: str, told: History) -> None:
    bus = Bus(kafka=kafka, service="tests")
    await bus.publish(
        [
            Outgoing(
                topics.TICKET_EVENTS,
                event.ticket_id,
                event,
                Meta(id=f"{event.ticket_id}.{event.seq}", source="postdesk/tests", time=event.at),
            )
            for event in told.events
        ]
    )
    await bus.stop()


def told_of(sink: Sink, told: History) -> dict[str, set[str]]:
    """Message-IDs by recipient of the mails about a ticket."""
    found: dict[str, set[str]] = {}
    for mail in sink.taken:
        if mail.header("X-Postdesk-Event").startswith(f"{told.opened.ticket_id}."):
            found.setdefault(mail.recipient, set()).add(mail.message_id)
    return found


async def test_events_on_the_bus_become_mails_at_the_relay(
    kafka: str, notify: ServiceProcess, sink: Sink
) -> None:
    told = a_ticket()

    await publish(kafka, told)

    assert await sink.wait_until(lambda: set(told_of(sink, told)) == {EMMA, ANA}, within_s=60)


async def test_a_killed_process_leaves_no_mail_out_and_adds_none(
    kafka: str, notify: ServiceProcess, sink: Sink
) -> None:
    cases = [a_ticket() for _ in range(8)]
    for number, told in enumerate(cases):
        await publish(kafka, told)
        if number in {2, 5}:
            notify.kill()
            notify.start()

    def all_are_told() -> bool:
        return all(set(told_of(sink, told)) == {EMMA, ANA} for told in cases)

    assert await sink.wait_until(all_are_told, within_s=90)
    for told in cases:
        assert {who: len(ids) for who, ids in told_of(sink, told).items()} == {EMMA: 1, ANA: 1}
    by_id: dict[str, set[bytes]] = {}
    for mail in sink.taken:
        by_id.setdefault(mail.message_id, set()).add(mail.raw)
    assert all(len(copies) == 1 for copies in by_id.values())
