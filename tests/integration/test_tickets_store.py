"""The same promises over a real MongoDB."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from services.tickets.store import INDEXES, MongoStore
from shared.mongo import connect, ensure_indexes
from tests.service.tickets.suite import TicketsSuite, handlers

__all__ = ["handlers"]

pytestmark = pytest.mark.stack


class ReadableStore(MongoStore):
    async def rows(self, name: str) -> list[dict[str, Any]]:
        return await self._db[name].find().sort([("order", 1), ("_id", 1)]).to_list(None)


@pytest.fixture
async def store(mongo: str) -> AsyncIterator[ReadableStore]:
    client = connect(mongo)
    database = client.get_database(f"test_tickets_{uuid4().hex[:8]}")
    await ensure_indexes(database, INDEXES)
    yield ReadableStore(client, database)
    await client.drop_database(database.name)
    client.close()


class TestTicketsInMongoDB(TicketsSuite):
    pass
