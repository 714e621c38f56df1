"""The same promises over a real MongoDB."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from services.sla.store import INDEXES, OUTBOX_ORDER, Store
from shared.mongo import connect, ensure_indexes
from tests.service.sla.suite import SLASuite, service

__all__ = ["service"]

pytestmark = pytest.mark.stack


class ReadableStore(Store):
    async def rows(self) -> list[dict[str, Any]]:
        return await self._outbox.find().sort(list(OUTBOX_ORDER)).to_list(None)


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
