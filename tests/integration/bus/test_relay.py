import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from shared import mongo as mongodb
from shared.bus import OutboxRelay, Outgoing, TransientError, encode, outbox_index
from shared.bus.lease import Lease
from shared.mongo import Collection, Database
from tests.bus_records import Noted, a_meta, a_topic, until

pytestmark = pytest.mark.stack

TOPIC = a_topic()


class Published:
    """Stands in for the bus; notes what it is given and can be away."""

    def __init__(self, rows: Collection) -> None:
        self.ids: list[str] = []
        self.batches = 0
        self.away = False
        self.marked_too_early = False
        self._rows = rows

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        for one in outgoing:
            encode(one)
        if self.away:
            raise TransientError("no Kafka")
        ids = [one.meta.id for one in outgoing]
        marked = {"_id": {"$in": ids}, "published_at": {"$ne": None}}
        self.marked_too_early |= bool(await self._rows.count_documents(marked))
        self.ids += ids
        self.batches += 1


@pytest.fixture
async def database(mongo: str) -> AsyncIterator[Database]:
    client = mongodb.connect(mongo)
    database = client.get_database(f"test_{uuid.uuid4().hex[:12]}")
    await mongodb.ensure_indexes(database, [outbox_index("outbox", [("n", 1)])])
    yield database
    await client.drop_database(database.name)
    client.close()


@pytest.fixture
def bus(database: Database) -> Published:
    return Published(database["outbox"])


def row(n: int, **more: Any) -> dict[str, Any]:
    return {"_id": f"e-{n}", "n": n, "text": str(n), "published_at": None, **more}


def outgoing_of(document: dict[str, Any]) -> Outgoing:
    return Outgoing(TOPIC, "k", Noted(text=document["text"]), a_meta(document["_id"]))


def relay(
    database: Database, bus: Published, *, owner: str = "tickets-1", company_s: float = 0.0
) -> OutboxRelay:
    return OutboxRelay(
        bus=bus,
        collection=database["outbox"],
        to_outgoing=outgoing_of,
        leases=database["leases"],
        owner=owner,
        order=[("n", 1)],
        company_s=company_s,
    )


async def unpublished(database: Database) -> int:
    return await database["outbox"].count_documents({"published_at": None})


async def until_published(database: Database) -> None:
    async def all_are() -> bool:
        return not await unpublished(database)

    await until(all_are)


async def test_rows_are_published_in_order_and_marked_only_afterwards(database, bus) -> None:
    await database["outbox"].insert_many([row(n) for n in reversed(range(1200))])
    working = relay(database, bus)

    await working.start()
    await until_published(database)
    await working.stop()

    assert bus.ids == [f"e-{n}" for n in range(1200)]
    assert not bus.marked_too_early


async def test_rows_that_may_wait_for_company_go_out_together_and_in_order(database, bus) -> None:
    working = relay(database, bus, company_s=2.0)
    await working.start()
    await until(lambda: not working._standing_by)

    working.wake()
    for n in range(40):
        await database["outbox"].insert_one(row(n))
        working.wake()
    await until_published(database)
    await working.stop()

    assert bus.ids == [f"e-{n}" for n in range(40)]
    assert bus.batches <= 2, "the first may have been found by chance before the rest were there"


async def test_nothing_is_marked_while_the_bus_is_away_and_all_goes_out_later(
    database, bus
) -> None:
    bus.away = True
    await database["outbox"].insert_many([row(n) for n in range(3)])
    working = relay(database, bus)

    await working.start()
    await until(lambda: "no Kafka" in working.trouble)
    waiting = await unpublished(database)
    bus.away = False
    await until_published(database)
    await working.stop()

    assert waiting == 3
    assert bus.ids == ["e-0", "e-1", "e-2"]


async def test_a_relay_that_dies_before_marking_publishes_the_same_ids_again(
    database, bus, monkeypatch
) -> None:
    await database["outbox"].insert_many([row(n) for n in range(3)])

    async def dies(*_: Any) -> None:
        raise asyncio.CancelledError

    first, second = relay(database, bus), relay(database, bus)
    monkeypatch.setattr(first, "_mark", dies)
    await first.start()
    await until(lambda: first._task and first._task.done())

    await second.start()
    await until_published(database)
    await second.stop()

    assert bus.ids == ["e-0", "e-1", "e-2"] * 2


async def test_of_two_relays_one_works_and_the_other_takes_over_when_it_stops(
    database, bus
) -> None:
    one, other = relay(database, bus), relay(database, bus, owner="tickets-2")
    await one.start()
    await until(lambda: not one._standing_by)
    await other.start()
    await database["outbox"].insert_many([row(n) for n in range(50)])
    # Not until the rows are marked: a relay counts them only afterwards.
    await until(lambda: one.done == 50)
    done_standing_by = other.done

    await one.stop()
    await database["outbox"].insert_many([row(n) for n in range(50, 100)])
    await until(lambda: other.done == 50)
    await other.stop()

    assert not done_standing_by
    assert one.done == 50
    assert bus.ids == [f"e-{n}" for n in range(100)]


async def test_a_row_that_is_no_record_is_set_aside_and_does_not_block_the_rest(
    database, bus
) -> None:
    await database["outbox"].insert_many([row(0), row(1, text="x" * 70_000), row(2)])
    working = relay(database, bus)

    await working.start()
    await until_published(database)
    await working.stop()

    aside = await database["outbox"].find_one({"unpublishable": {"$exists": True}})
    assert bus.ids == ["e-0", "e-2"]
    assert (aside["_id"], aside["published_at"].year) == ("e-1", 9999)
    assert [bad["part"] for bad in aside["unpublishable"]] == ["e-1"]
    assert "RecordTooLarge" in aside["unpublishable"][0]["reason"]


async def test_a_group_is_published_but_for_what_is_no_record_and_says_so(database, bus) -> None:
    texts = {"a": "1", "b": "x" * 70_000, "c": "3"}

    async def parts_of(rows: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
        return [[{"_id": name, "text": texts[name]} for name in row["names"]] for row in rows]

    await database["outbox"].insert_one(row(0, names=list(texts)))
    working = OutboxRelay(
        bus=bus,
        collection=database["outbox"],
        to_outgoing=outgoing_of,
        leases=database["leases"],
        owner="tickets-1",
        parts_of=parts_of,
    )

    await working.start()
    await until_published(database)
    await working.stop()

    row_of_group = await database["outbox"].find_one({"_id": "e-0"})
    assert bus.ids == ["a", "c"]
    assert [bad["part"] for bad in row_of_group["unpublishable"]] == ["b"]


async def test_bad_code_does_not_set_the_whole_outbox_aside(database, bus) -> None:
    await database["outbox"].insert_many([row(n, text=None) for n in range(40)])
    working = relay(database, bus)

    await working.start()
    await until(lambda: "too many" in working.trouble)
    left = await unpublished(database)
    await working.stop()

    assert left == 20
    assert await database["outbox"].count_documents({"unpublishable": {"$exists": True}}) == 20


async def test_the_relay_reads_its_rows_through_the_partial_index(database) -> None:
    plan = await database.command(
        "explain",
        {"find": "outbox", "filter": {"published_at": None}, "sort": {"n": 1}, "limit": 500},
    )

    assert "'outbox'" in str(plan["queryPlanner"]["winningPlan"])
    assert "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"])
    assert "'SORT'" not in str(plan["queryPlanner"]["winningPlan"])


async def test_a_lease_has_one_holder_until_it_runs_out(database) -> None:
    one = Lease(database["leases"], "l", "a", lease_s=0.3)
    other = Lease(database["leases"], "l", "b", lease_s=0.3)

    assert await one.is_held()
    assert not await other.is_held()

    await until(other.is_held)
    assert not await one.is_held()


async def test_a_process_that_starts_again_takes_its_own_lease_at_once(database) -> None:
    before, after = (Lease(database["leases"], "l", "a", lease_s=60) for _ in range(2))

    assert await before.is_held()
    assert await after.is_held()


async def test_a_zombie_that_wakes_up_learns_that_its_lease_was_taken(database) -> None:
    zombie = Lease(database["leases"], "l", "a", lease_s=0.03)
    assert await zombie.is_held()
    successor = Lease(database["leases"], "l", "a", lease_s=60)
    assert await successor.is_held()

    async def has_lost_it() -> bool:
        return not await zombie.is_held()

    await until(has_lost_it)


async def test_two_that_ask_for_a_new_lease_at_once_do_not_both_get_it(database) -> None:
    leases = [Lease(database["leases"], "l", f"o-{n}") for n in range(8)]

    held = await asyncio.gather(*(lease.is_held() for lease in leases))

    assert held.count(True) == 1
