"""The same promises over a real MongoDB."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from services.sla.store import INDEXES, Store
from shared.bus import GROUP_ORDER
from shared.mongo import Client, Database, connect, ensure_indexes
from tests.service.sla.suite import Service, SLASuite, service
from tests.ticket_history import History

__all__ = ["service"]

pytestmark = pytest.mark.stack


class ReadableStore(Store):
    def __init__(self, client: Client, database: Database, configuration: str = "") -> None:
        super().__init__(client, database, configuration)
        self.database = database

    async def state(self) -> Any:
        found = [self.database[name].find().sort("_id", 1) for name in ("cases", "clocks")]
        return [await documents.to_list(None) for documents in found]

    async def rows(self) -> list[dict[str, Any]]:
        groups = await self._outbox.find().sort(list(GROUP_ORDER)).to_list(None)
        return [part for row in groups for part in row["parts"]]


@pytest.fixture
async def store(mongo: str) -> AsyncIterator[ReadableStore]:
    client = connect(mongo)
    database = client.get_database(f"test_sla_{uuid4().hex[:8]}")
    await ensure_indexes(database, INDEXES)
    yield ReadableStore(client, database)
    await client.drop_database(database.name)
    client.close()


class TestInMongoDB(SLASuite):
    pass


async def test_another_configuration_refits_open_tickets_only(store: ReadableStore) -> None:
    open_one, done = History(ticket_id="T-1"), History(ticket_id="T-2")
    done.resolved("2026-11-20 10:00", answered=True)
    await Service(store).reads(*open_one.events, *done.events)
    after = ReadableStore(store._client, store.database, "another configuration")

    assert await after.stale(10) == ["T-1"]
    await Service(after).handlers.refit_all()
    assert await after.stale(10) == []


async def test_clocks_whose_case_is_gone_do_not_stand_in_the_way_of_a_new_one(
    store: ReadableStore,
) -> None:
    told = History(ticket_id="T-1")
    await Service(store).reads(*told.events)
    before = await store.state()
    await store.database["cases"].delete_many({})  # a rebuilding that was broken off

    await Service(store).reads(*told.events)

    assert await store.state() == before
