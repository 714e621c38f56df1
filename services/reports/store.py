"""The collections of reports: rows of tickets and of work, reports sent and asked for, outbox."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from services.reports.domain.months import Month
from services.reports.domain.rows import TicketRow, WorkRow
from services.reports.projections import Projected
from shared.bus import outbox_index
from shared.census import set_aside_index
from shared.mongo import (
    Client,
    Database,
    Document,
    DuplicateKeyError,
    Index,
    InsertOne,
    ReplaceOne,
    ReturnDocument,
    Session,
    transaction,
)

VERSION = 1
OUTBOX_ORDER = (("queued_at", 1), ("_id", 1))
_KEPT_S = 7 * 86_400

INDEXES = (
    Index("tickets", [("updated_at", 1)]),
    Index("tickets", [("status", 1), ("opened_at", 1)]),
    Index("work", [("at", 1)]),
    Index("work", [("ticket_id", 1)]),
    Index("requests", [("asked_at", 1)], partial={"done_at": None}),
    outbox_index("outbox", OUTBOX_ORDER),
    set_aside_index("outbox"),
    Index("outbox", [("published_at", 1)], expire_after_s=_KEPT_S),
)


class Store:
    """Each method stores all that it says or nothing."""

    def __init__(self, client: Client, database: Database) -> None:
        self._client = client
        self._tickets = database["tickets"]
        self._work = database["work"]
        self._seen = database["seen"]
        self._sent = database["sent"]
        self._requests = database["requests"]
        self._outbox = database["outbox"]

    async def change(
        self,
        ticket_ids: Collection[str],
        decide: Callable[[Mapping[str, TicketRow]], Sequence[Projected]],
    ) -> None:
        """Load the rows that exist, decide, store; ``decide`` may be called more than once."""

        async def work(session: Session) -> None:
            found = self._tickets.find({"_id": {"$in": list(ticket_ids)}}, session=session)
            rows = {row["_id"]: ticket_of(row) async for row in found}
            projected = decide(rows)
            tickets = {one.row.ticket_id: one.row for one in projected}
            changed = [row for row in tickets.values() if row != rows.get(row.ticket_id)]
            done = [row for one in projected for row in one.work]
            if changed:
                writes = [
                    _replacement(row.ticket_id, row)
                    if row.ticket_id in rows
                    else InsertOne(_document(row.ticket_id, row))
                    for row in changed
                ]
                await self._tickets.bulk_write(writes, ordered=False, session=session)
            if done:
                writes = [_replacement(row.id, row) for row in done]
                await self._work.bulk_write(writes, ordered=False, session=session)

        await transaction(self._client, work)

    async def tickets(self, start: datetime, end: datetime) -> list[TicketRow]:
        """Tickets opened before the end that changed since the start or are not over."""
        found = self._tickets.find(
            {
                "opened_at": {"$lt": end},
                "$or": [
                    {"updated_at": {"$gte": start}},
                    {"status": {"$nin": ["resolved", "closed"]}},
                ],
            }
        )
        return [ticket_of(row) async for row in found]

    async def work(self, start: datetime, end: datetime) -> list[WorkRow]:
        """What agents did in the span."""
        found = self._work.find({"at": {"$gte": start, "$lt": end}})
        return [WorkRow.model_validate(row) async for row in found]

    async def tickets_after(self, ticket_id: str, limit: int) -> list[str]:
        """The next tickets of which there are rows, in the order of their ids."""
        found = self._tickets.find({"_id": {"$gt": ticket_id}}, {"_id": 1}).sort("_id", 1)
        return [row["_id"] async for row in found.limit(limit)]

    async def forget(self, ticket_ids: Collection[str]) -> None:
        """Delete the rows of tickets and of the work on them."""
        ids = list(ticket_ids)
        await self._work.delete_many({"ticket_id": {"$in": ids}})
        await self._tickets.delete_many({"_id": {"$in": ids}})

    async def first_seen(self, key: str, now: datetime) -> datetime:
        """When a scheduled report was first seen; now, if this is the first time."""
        found = await self._seen.find_one_and_update(
            {"_id": key},
            {"$setOnInsert": {"at": now}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        at: datetime = found["at"]
        return at

    async def is_sent(self, request_id: str) -> bool:
        """Whether the mail with this request id was put out."""
        return await self._sent.find_one({"_id": request_id}) is not None

    async def put_out(self, request_id: str, row: Document, asked_id: str = "") -> bool:
        """Put the mail into the outbox unless it was before; say whether it was not.

        ``asked_id`` names the wish that this fulfils, if somebody asked.
        """

        async def work(session: Session) -> None:
            await self._sent.insert_one(
                {"_id": request_id, "v": VERSION, "at": row["queued_at"]}, session=session
            )
            await self._outbox.insert_one({**row, "published_at": None}, session=session)
            if asked_id:
                await self._requests.update_one(
                    {"_id": asked_id}, {"$set": {"done_at": row["queued_at"]}}, session=session
                )

        try:
            await transaction(self._client, work)
        except DuplicateKeyError:
            return False
        return True

    async def ask(self, asked_id: str, month: Month, zone: str, to: str, now: datetime) -> None:
        """Wish for the report of a month; the service sends it once."""
        wish = {"month": str(month), "zone": zone, "to": to, "asked_at": now, "done_at": None}
        await self._requests.update_one({"_id": asked_id}, {"$setOnInsert": wish}, upsert=True)

    async def asked(self) -> list[Document]:
        """Wishes that are not fulfilled, oldest first."""
        return await self._requests.find({"done_at": None}).sort([("asked_at", 1)]).to_list(None)

    async def give_up(self, asked_id: str, reason: str, now: datetime) -> None:
        """Note that a wish cannot be fulfilled."""
        change = {"$set": {"done_at": now, "error": reason[:500]}}
        await self._requests.update_one({"_id": asked_id}, change)


def ticket_of(document: Document) -> TicketRow:
    """The row of a document."""
    return TicketRow.model_validate(document)


def _document(key: str, row: TicketRow | WorkRow) -> Document:
    return {"_id": key, "v": VERSION, **row.model_dump()}


def _replacement(key: str, row: TicketRow | WorkRow) -> ReplaceOne[Document]:
    return ReplaceOne({"_id": key}, _document(key, row), upsert=True)
