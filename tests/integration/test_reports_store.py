"""The same promises over a real MongoDB."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from services.reports.store import INDEXES, Store
from shared.mongo import connect, ensure_indexes
from tests.service.reports.suite import ReportsSuite, quick_drawing, service

__all__ = ["quick_drawing", "service"]

pytestmark = pytest.mark.stack


class ReadableStore(Store):
    async def sent(self) -> list[dict[str, Any]]:
        return await self._outbox.find().to_list(None)


@pytest.fixture
async def store(mongo: str) -> AsyncIterator[ReadableStore]:
    client = connect(mongo)
    database = client.get_database(f"test_reports_{uuid4().hex[:8]}")
    await ensure_indexes(database, INDEXES)
    yield ReadableStore(client, database)
    await client.drop_database(database.name)
    client.close()


class TestInMongoDB(ReportsSuite):
    pass
