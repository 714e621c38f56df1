"""Turns in a team's rotation, taken by several processes at once."""

import asyncio
import multiprocessing
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from uuid import uuid4

import pytest
from pymongo import MongoClient

from services.tickets.mongo_store import INDEXES, MongoStore
from shared.blobs import Blobs
from shared.config.models import Desk
from shared.mongo import connect, ensure_indexes
from tests.builders import a_desk, a_mail
from tests.service.tickets.suite import handlers_of, mails

pytestmark = pytest.mark.stack
PROCESSES, TICKETS, AGENTS = 4, 1_000, 5


def five_equal_agents() -> Desk:
    names = [f"a{number}@x.example" for number in range(AGENTS)]
    return a_desk(
        agents=[{"address": name, "name": "X"} for name in names],
        teams=[{"name": team, "members": names} for team in ("support", "billing")],
    )


@pytest.fixture
def name(mongo: str) -> Iterator[str]:
    chosen = f"test_rotation_{uuid4().hex[:8]}"
    yield chosen
    with MongoClient(mongo) as client:
        client.drop_database(chosen)


def open_tickets(mongo: str, name: str, share: int) -> None:
    """What one process of tickets does with its share of the mails, in batches of any size."""
    asyncio.run(_open_tickets(mongo, name, share))


async def _open_tickets(mongo: str, name: str, share: int) -> None:
    client = connect(mongo)
    handlers = handlers_of(
        MongoStore(client, client.get_database(name), Blobs(client)), five_equal_agents()
    )
    left = [
        a_mail(f"Number {share}.{number}", from_addr=f"c{share}.{number}@people.example")
        for number in range(TICKETS // PROCESSES)
    ]
    chance = random.Random(share)
    while left:
        size = chance.randint(1, 40)
        batch, left = left[:size], left[size:]
        await handlers.file_mails(mails(*batch))
    client.close()


async def make_indexes(mongo: str, name: str) -> None:
    client = connect(mongo)
    await ensure_indexes(client.get_database(name), INDEXES)
    client.close()


@pytest.mark.feature("R02")
def test_a_thousand_tickets_of_four_processes_are_two_hundred_for_each_of_five_agents(
    mongo: str, name: str
) -> None:
    asyncio.run(make_indexes(mongo, name))
    spawned = multiprocessing.get_context("spawn")

    with ProcessPoolExecutor(PROCESSES, mp_context=spawned) as pool:
        for done in [pool.submit(open_tickets, mongo, name, n) for n in range(PROCESSES)]:
            done.result()

    with MongoClient(mongo) as client:
        found = client[name]["tickets"].find({}, {"state.assignee": 1})
        assigned = Counter(ticket["state"]["assignee"] for ticket in found)
    assert sum(assigned.values()) == TICKETS
    assert len(assigned) == AGENTS
    assert max(assigned.values()) - min(assigned.values()) <= 1
