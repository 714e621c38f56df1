"""Limits of senders on a real MongoDB: exact for all processes, and for every try."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.ingest.limits import COUNTS, INDEXES, SenderLimits
from services.ingest.reading import Reading
from services.tickets.mongo_store import INDEXES as TICKETS_INDEXES
from services.tickets.mongo_store import MongoStore
from shared import mongo as database
from shared.blobs import Blobs
from shared.contracts.commands import Bar, Unbar
from shared.senders import TOLD_DATABASE, TOLD_SENDERS
from tests.builders import NOON, SUPPORT, a_desk, a_mail, an_address_book
from tests.service.tickets.suite import handlers, mails, received

__all__ = ["handlers"]

pytestmark = pytest.mark.stack
ROBOT = "robot@flood.example"
AT_ONCE = 20


@pytest.fixture
async def client(mongo: str) -> AsyncIterator[database.Client]:
    made = database.connect(mongo)
    yield made
    await database.database(made, TOLD_DATABASE).drop_collection(TOLD_SENDERS)
    made.close()


@pytest.fixture
async def store(client: database.Client) -> AsyncIterator[MongoStore]:
    """Where tickets keeps what is decided about senders."""
    db = client.get_database(f"test_limits_{uuid4().hex[:8]}")
    await database.ensure_indexes(db, TICKETS_INDEXES)
    yield MongoStore(client, db, Blobs(client))
    await client.drop_database(db.name)


@pytest.fixture
async def counts(client: database.Client) -> AsyncIterator[database.Collection]:
    db = client.get_database(f"test_counts_{uuid4().hex[:8]}")
    await database.ensure_indexes(db, INDEXES)
    yield db[COUNTS]
    await client.drop_database(db.name)


def a_process(
    client: database.Client, counts: database.Collection, **customers: Any
) -> SenderLimits:
    """What one process of ingest knows of limits."""
    told = database.database(client, TOLD_DATABASE)[TOLD_SENDERS]
    desk = a_desk(customers=customers)
    return SenderLimits(lambda: desk, told, counts, an_address_book())


async def passing(process: SenderLimits, *names: str, **more: Any) -> list[str]:
    """Those of the mails that are not too much, given at once."""
    rows = [{"_id": n, "recipient": SUPPORT, "received_at": NOON, **more} for n in names]
    reading = Reading({"from_addr": ROBOT})
    reasons = await asyncio.gather(*(process.excess(row, reading) for row in rows))
    return [name for name, reason in zip(names, reasons, strict=True) if not reason]


async def test_exactly_so_many_pass_whoever_reads_them_and_the_same_ones_again(
    client: database.Client, counts: database.Collection
) -> None:
    limited = [{"who": "flood.example", "per_hour": 5}]
    here, there, later = (a_process(client, counts, limited=limited) for _ in range(3))
    names = [f"m{n}" for n in range(AT_ONCE)]

    both = await asyncio.gather(passing(here, *names[::2]), passing(there, *names[1::2]))
    first = sorted(both[0] + both[1])

    assert len(first) == 5
    assert sorted(await passing(later, *names)) == first


async def test_a_mail_that_is_read_again_takes_no_second_place(
    client: database.Client, counts: database.Collection
) -> None:
    process = a_process(client, counts, limited=[{"who": ROBOT, "per_hour": 2}])

    for _ in range(3):
        assert await passing(process, "a") == ["a"]

    assert len(await passing(process, "b", "c")) == 1


async def test_an_hour_is_the_clocks_and_a_day_limits_all_its_hours(
    client: database.Client, counts: database.Collection
) -> None:
    limited = [{"who": ROBOT, "per_hour": 2, "per_day": 3}]
    process = a_process(client, counts, limited=limited)

    now = await passing(process, "a", "b", "c")
    in_an_hour = await passing(process, "d", "e", received_at=NOON + timedelta(hours=1))
    tomorrow = await passing(process, "f", "g", "h", received_at=NOON + timedelta(days=1))

    assert [len(some) for some in (now, in_an_hour, tomorrow)] == [2, 1, 2]


async def test_what_is_decided_in_tickets_is_known_to_ingest_until_it_is_lifted(
    handlers: Any, client: database.Client, counts: database.Collection
) -> None:
    process = a_process(client, counts)
    await handlers.file_mails(mails(a_mail("Disk full", from_addr=ROBOT)))
    about = {"actor": "system:crm", "ticket_id": "T-1"}

    await handlers.run_commands([received(Bar(**about, per_hour=1), "c1")])
    await process.look()
    limited = await passing(process, "a", "b")
    await handlers.run_commands([received(Bar(**about), "c2")])
    await process.look()
    barred = await passing(process, "c", "d")
    await handlers.run_commands([received(Bar(**about, per_day=1), "c3")])
    await handlers.run_commands([received(Unbar(**about), "c4")])
    await process.look()

    assert len(limited) == 1
    assert barred == ["c", "d"]  # tickets files these
    assert await passing(process, "e", "f") == ["e", "f"]
