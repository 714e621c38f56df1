"""Writes that must not pass over another process's: few with their condition, many looked at once."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from uuid import uuid4

import pytest

from services.notify.outgoing import INDEXES, Ledger, Row
from shared.bus import TransientError
from shared.mongo import (
    MANY,
    Client,
    Collection,
    Database,
    Document,
    Session,
    connect,
    ensure_indexes,
    store_versions,
    transaction,
)
from tests.ticket_history import at

pytestmark = [pytest.mark.stack, pytest.mark.parametrize("count", [1, MANY - 1, MANY, 3 * MANY])]
NOW = at("2026-11-20 09:00")
ME, OTHER = "notify-1", "notify-2"


@pytest.fixture
async def database(mongo: str) -> AsyncIterator[Database]:
    client = connect(mongo)
    database = client.get_database(f"test_versions_{uuid4().hex[:8]}")
    await ensure_indexes(database, INDEXES)
    yield database
    await client.drop_database(database.name)
    client.close()


def versions(count: int, seq: int, by: str) -> list[Document]:
    return [{"_id": f"T-{n}", "seq": seq, "by": by} for n in range(count)]


def loaded(count: int, seq: int) -> dict[str, int]:
    return {f"T-{n}": seq for n in range(count)}


async def stored(database: Database, some: list[Document], known: Mapping[str, int]) -> bool:
    """Store them in a transaction, which is given up where somebody was faster."""

    async def work(session: Session) -> None:
        if not await store_versions(database["versions"], some, known, session):
            raise TransientError

    client: Client = database.client
    try:
        await transaction(client, work)
    except TransientError:
        return False
    return True


async def held(collection: Collection) -> set[tuple[int, str]]:
    return {(d["seq"], d["by"]) async for d in collection.find()}


async def test_new_versions_take_the_place_of_those_that_were_loaded(
    database: Database, count: int
) -> None:
    assert await stored(database, versions(count, 2, "first"), {})
    assert await stored(database, versions(count, 5, "second"), loaded(count, 2))

    assert await held(database["versions"]) == {(5, "second")}
    assert await database["versions"].count_documents({}) == count


async def test_of_a_batch_nothing_is_stored_where_one_was_changed_meanwhile(
    database: Database, count: int
) -> None:
    await stored(database, versions(count, 2, "first"), {})
    await database["versions"].update_one({"_id": f"T-{count - 1}"}, {"$set": {"seq": 3}})

    assert not await stored(database, versions(count, 5, "second"), loaded(count, 2))

    assert {by for _, by in await held(database["versions"])} == {"first"}


async def test_what_another_process_made_first_is_not_replaced(
    database: Database, count: int
) -> None:
    await database["versions"].insert_one({"_id": "T-0", "seq": 1, "by": "other"})

    assert not await stored(database, versions(count, 2, "first"), {})

    assert await held(database["versions"]) == {(1, "other")}


async def test_of_two_that_store_at_the_same_time_one_succeeds(
    database: Database, count: int
) -> None:
    await stored(database, versions(count, 2, "first"), {})
    both = [stored(database, versions(count, 3, by), loaded(count, 2)) for by in ("a", "b")]

    done = await asyncio.gather(*both)

    assert sorted(done) == [False, True]
    assert await held(database["versions"]) == {(3, "a" if done[0] else "b")}


async def test_a_result_is_noted_on_rows_that_are_leased_to_who_has_it(
    database: Database, count: int
) -> None:
    ledger, client = Ledger(database["outgoing"]), database.client
    mine = [leased(f"mine-{n}", ME) for n in range(count)]
    theirs = [leased(f"theirs-{n}", OTHER) for n in range(count)]
    await transaction(client, lambda session: ledger.add([*mine, *theirs], session))
    tried = [row.but(state="sent", next_try_at=None, detail="250 ok") for row in [*mine, *theirs]]

    await transaction(client, lambda session: ledger.mark(ME, tried, session))

    states = {d["_id"]: (d["state"], d["lease_owner"]) async for d in database["outgoing"].find()}
    assert {states[row.id] for row in mine} == {("sent", "")}
    assert {states[row.id] for row in theirs} == {("sending", OTHER)}


async def test_a_notice_that_another_process_wrote_is_not_written_again(
    database: Database, count: int
) -> None:
    ledger, client = Ledger(database["outgoing"]), database.client
    rows = [leased(f"row-{n}", "").but(state="planned", next_try_at=None) for n in range(count)]
    await transaction(client, lambda session: ledger.add(rows, session))
    await database["outgoing"].update_one({"_id": rows[-1].id}, {"$set": {"state": "sent"}})
    written = [row.leased(ME, NOW) for row in rows]

    async def work(session: Session) -> None:
        if not await ledger.write(written, [], session):
            raise TransientError

    with pytest.raises(TransientError):
        await transaction(client, work)

    assert await database["outgoing"].count_documents({"state": "sending"}) == 0


def leased(name: str, owner: str) -> Row:
    return Row(
        id=name,
        kind="notice",
        mail_class="notice",
        reason="assigned",
        recipient="ana@desk-team.example",
        ticket_id="T-1",
        event_id="T-1.1",
        correlation_id="c",
        seq=1,
        created_at=NOW,
    ).leased(owner, NOW)
