"""The same promises over a real MongoDB."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from services.tickets.mongo_store import INDEXES, MongoStore
from shared.blobs import Blobs
from shared.mongo import connect, ensure_indexes
from tests.builders import a_mail
from tests.service.tickets.suite import TicketsSuite, handlers, mails

__all__ = ["handlers"]

pytestmark = pytest.mark.stack


class ReadableStore(MongoStore):
    async def keep_text(self, ticket_id: str, text: str) -> str:
        return await self._blobs.put(f"{self._db.name}-{ticket_id}", text.encode())

    async def rows(self, name: str) -> list[dict[str, Any]]:
        return await self._db[name].find().sort([("order", 1), ("_id", 1)]).to_list(None)


@pytest.fixture
async def store(mongo: str) -> AsyncIterator[ReadableStore]:
    client = connect(mongo)
    database = client.get_database(f"test_tickets_{uuid4().hex[:8]}")
    await ensure_indexes(database, INDEXES)
    yield ReadableStore(client, database, Blobs(client))
    await client.drop_database(database.name)
    client.close()


class TestTicketsInMongoDB(TicketsSuite):
    async def test_what_a_batch_announces_are_its_events_in_their_order(self, handlers, store):
        await handlers.file_mails(mails(a_mail("one"), a_mail("two")))

        rows = await store.rows("announcements")
        [events] = await store.announced(rows)

        assert [(e["ticket_id"], e["seq"]) for e in events] == [
            (ticket, seq) for ticket in ("T-1", "T-2") for seq in (1, 2, 3)
        ]
        assert rows[0]["order"] == max(event["order"] for event in events)

    async def test_a_ticket_is_announced_in_the_order_of_its_batches(self, handlers, store):
        """The clock stands still here, so nothing but the tickets' own numbers keeps the order."""
        await handlers.file_mails(mails(a_mail("one"), a_mail("two")))
        [before] = await store.rows("announcements")

        await handlers.file_mails(mails(a_mail("three", subject="Re: [T-1] No internet")))

        [_, after] = await store.rows("announcements")
        assert after["order"] > before["order"]
