"""Group commit: many sessions, one insert, and nobody hears 250 without it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from services.ingest.spool import GROUP_BYTES, NotStoredError, Spool
from tests.service.ingest.dialogue import until
from tests.service.ingest.memory import Rows


@asynccontextmanager
async def a_running(rows: Rows, **settings: object) -> AsyncIterator[Spool]:
    spool = Spool(rows, **settings)
    task = asyncio.create_task(spool.run())
    try:
        yield spool
    finally:
        task.cancel()


def row(name: str, **more: object) -> dict[str, object]:
    return {"_id": name, **more}


async def test_mails_that_come_while_one_is_written_share_the_next_insert() -> None:
    rows = Rows()
    async with a_running(rows) as spool:
        rows.may_finish.clear()
        first = asyncio.create_task(spool.store([row("first")], 1))
        await rows.began.wait()
        others = [asyncio.create_task(spool.store([row(str(n))], 1)) for n in range(30)]
        await until(lambda: len(spool._waiting) == 30)

        rows.may_finish.set()
        await asyncio.gather(first, *others)

    assert rows.groups == [1, 30]


async def test_the_first_waits_a_little_when_others_are_coming() -> None:
    rows = Rows()
    async with a_running(rows, expecting=lambda: 1, company_s=0.05) as spool:
        await asyncio.gather(*(spool.store([row(str(n))], 1) for n in range(5)))

    assert rows.groups == [5]


async def test_a_group_is_limited_in_bytes() -> None:
    rows = Rows()
    async with a_running(rows, expecting=lambda: 1, company_s=0.05) as spool:
        await asyncio.gather(*(spool.store([row(str(n))], GROUP_BYTES) for n in range(3)))

    assert rows.groups == [1, 1, 1]


async def test_new_rows_are_told_from_those_that_were_there() -> None:
    rows = Rows()
    async with a_running(rows) as spool:
        first = await spool.store([row("a")], 1)
        again = await spool.store([row("a"), row("b")], 1)

    assert [r["_id"] for r in first] == ["a"]
    assert [r["_id"] for r in again] == ["b"]


async def test_a_failure_is_only_its_own_mails() -> None:
    rows = Rows()
    async with a_running(rows, expecting=lambda: 1, company_s=0.05) as spool:
        results = await asyncio.gather(
            spool.store([row("a")], 1),
            spool.store([row("b"), row("c", refused=True)], 1),
            spool.store([row("d")], 1),
            return_exceptions=True,
        )

    assert isinstance(results[1], NotStoredError)
    assert isinstance(results[0], list)
    assert isinstance(results[2], list)


async def test_a_database_that_is_away_fails_all_and_the_next_try_goes_through() -> None:
    rows = Rows()
    rows.is_down = True
    async with a_running(rows) as spool:
        with pytest.raises(NotStoredError):
            await spool.store([row("a")], 1)
        rows.is_down = False

        assert await spool.store([row("a")], 1)


async def test_who_gave_up_waiting_is_not_stored() -> None:
    rows = Rows()
    async with a_running(rows) as spool:
        rows.may_finish.clear()
        first = asyncio.create_task(spool.store([row("first")], 1))
        await rows.began.wait()
        gone = asyncio.create_task(spool.store([row("gone")], 1))
        await until(lambda: bool(spool._waiting))
        gone.cancel()
        await asyncio.wait([gone])
        rows.may_finish.set()
        await first
        await spool.store([row("last")], 1)

    assert set(rows.rows) == {"first", "last"}
