"""notify's handlers, ledger and sender on real MongoDB, with a relay that behaves as told."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from services.notify.app import INDEXES, Wired, wire
from services.notify.settings import Settings
from shared import mongo
from shared.blobs import Blobs
from shared.bus import Outgoing
from shared.clock import SystemClock
from shared.config import load_desk
from shared.contracts.delivery import MailSent
from tests.actors.sink import Sink
from tests.bus_records import until
from tests.ticket_history import History, received
from tests.unit.notify.cases import ANA, EMMA, ROOT

pytestmark = pytest.mark.stack


@dataclass
class Desk:
    """A running notify without Kafka: records are handed to the handlers."""

    wired: Wired
    sink: Sink
    database: mongo.Database
    told: list[Outgoing]

    async def hears(self, told: History) -> None:
        await self.wired.handlers.on_ticket_events(received(*told.events))

    async def rows(self, **wanted: Any) -> list[dict[str, Any]]:
        return await self.database["outgoing"].find(wanted).sort("created_at", 1).to_list(None)


class _Publisher:
    def __init__(self) -> None:
        self.told: list[Outgoing] = []

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        self.told += outgoing


@pytest.fixture
async def desk(mongo: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with Sink() as sink:
        async for one in running_desk(mongo, tmp_path, sink):
            yield one


async def running_desk(uri: str, folder: Path, sink: Sink, **settings: Any) -> AsyncIterator[Desk]:
    client = mongo.connect(uri)
    database = client.get_database(f"notify_{uuid4().hex[:12]}")
    await mongo.ensure_indexes(database, INDEXES)
    keys = folder / "keys.json"
    keys.write_text(
        '{"current": 1, "keys": {"1": "' + "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=" + '"}}'
    )
    context: Any = SimpleNamespace(
        settings=Settings(relay=sink.address, keys=keys, **settings),
        clock=SystemClock(),
        client=client,
        database=database,
        blobs=Blobs(client),
        desk=load_desk(ROOT / "deploy" / "presets" / "demo.yaml"),
        owner=f"notify-{uuid4().hex[:6]}",
    )
    publisher = _Publisher()
    wired = wire(context, publisher)
    parts: list[Any] = [wired.outbox, wired.sender, wired.notices]
    for part in parts:
        await part.start()
    try:
        yield Desk(wired, sink, database, publisher.told)
    finally:
        for part in reversed(parts):
            await part.stop()
        await client.drop_database(database.name)
        client.close()


def a_new_ticket() -> History:
    told = History(ticket_id=f"T-{uuid4().int % 10**9 + 1}", requester_name="Emma Brand")
    told.customer_writes(
        "2026-11-20 09:00",
        from_addr=EMMA,
        from_name="Emma Brand",
        reply_text="There is no dial tone.",
        message_id="first@harbour-bakery.example",
        event={"acknowledge": True},
    )
    told.assigned("2026-11-20 09:00", ANA)
    return told


async def test_a_new_ticket_is_acknowledged_and_told_to_its_agent(desk: Desk) -> None:
    await desk.hears(a_new_ticket())

    assert await desk.sink.wait_until(lambda: len(desk.sink.taken) == 2, within_s=30)
    assert {mail.recipient for mail in desk.sink.taken} == {EMMA, ANA}
    await until(lambda: len(desk.told) == 2)
    assert all(isinstance(one.record, MailSent) for one in desk.told)
    assert {row["state"] for row in await desk.rows()} == {"sent"}
