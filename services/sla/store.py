"""The collections of sla: cases, clocks, accounts and the outbox."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.sla import documents
from services.sla.domain.case import Case
from services.sla.domain.clock import fired
from shared.bus import outbox_index
from shared.mongo import (
    Client,
    Database,
    DeleteOne,
    Document,
    Index,
    ReplaceOne,
    Session,
    UpdateOne,
    transaction,
)

OUTBOX_ORDER = (("queued_at", 1), ("place", 1), ("_id", 1))
_KEPT_S = 7 * 86_400

INDEXES = (
    Index("clocks", [("next_at", 1)], partial={"next_at": {"$exists": True}}),
    Index("clocks", [("ticket_id", 1)]),
    outbox_index("outbox", OUTBOX_ORDER),
    Index("outbox", [("published_at", 1)], expire_after_s=_KEPT_S),
)


@dataclass(frozen=True)
class Changes:
    """What is to be stored together: cases as they are now, and rows for the outbox."""

    cases: Sequence[Case] = ()
    rows: Sequence[Document] = field(default=())


class Store:
    """Each method stores all that it says or nothing."""

    def __init__(self, client: Client, database: Database) -> None:
        self._client = client
        self._cases = database["cases"]
        self._clocks = database["clocks"]
        self._accounts = database["accounts"]
        self._outbox = database["outbox"]

    async def change(
        self,
        ticket_ids: Collection[str],
        now: datetime,
        decide: Callable[[Mapping[str, Case]], Changes],
    ) -> Changes:
        """Load the cases that exist, decide, store; ``decide`` may be called more than once."""

        async def work(session: Session) -> Changes:
            cases = await self._load(ticket_ids, session)
            changes = decide(cases)
            await self._save(changes.cases, cases, session)
            await self._put_out(list(changes.rows), now, session)
            return changes

        return await transaction(self._client, work)

    async def fire(self, now: datetime, limit: int) -> int:
        """Claim and tell up to ``limit`` clocks that are due, the earliest first; give how many.

        Of several processes that fire at once one succeeds for each clock.
        """

        async def work(session: Session) -> int:
            due = self._clocks.find({"next_at": {"$lte": now}}, session=session)
            found = await due.sort([("next_at", 1), ("_id", 1)]).limit(limit).to_list(None)
            writes: list[ReplaceOne[Document]] = []
            rows: list[Document] = []
            for document in found:
                clock, told = fired(documents.clock_of(document), now)
                after = documents.clock_document(clock, document["number"])
                writes.append(ReplaceOne({"_id": clock.id}, after))
                rows += map(documents.fired_row, told)
            if writes:
                await self._clocks.bulk_write(writes, ordered=False, session=session)
            await self._put_out(rows, now, session)
            return len(found)

        return await transaction(self._client, work)

    async def next_at(self) -> datetime | None:
        """When the next clock has something to tell."""
        first = await self._clocks.find_one(
            {"next_at": {"$exists": True}}, {"next_at": 1}, sort=[("next_at", 1)]
        )
        return first["next_at"] if first else None

    async def segments(self, account_ids: Collection[str]) -> dict[str, str]:
        """Segments of the accounts that are known, by account id."""
        found = self._accounts.find({"_id": {"$in": list(account_ids)}})
        return {account["_id"]: account["segment"] async for account in found}

    async def note_accounts(self, segments: Mapping[str, str | None]) -> None:
        """Remember the segment of each account; None forgets the account."""
        writes = [
            DeleteOne({"_id": account_id})
            if segment is None
            else UpdateOne({"_id": account_id}, {"$set": {"segment": segment}}, upsert=True)
            for account_id, segment in segments.items()
        ]
        if writes:
            await self._accounts.bulk_write(writes, ordered=False)

    async def _load(self, ticket_ids: Collection[str], session: Session) -> dict[str, Case]:
        ids = list(ticket_ids)
        clocks: dict[str, list[Document]] = {ticket_id: [] for ticket_id in ids}
        async for clock in self._clocks.find({"ticket_id": {"$in": ids}}, session=session):
            clocks[clock["ticket_id"]].append(clock)
        found = self._cases.find({"_id": {"$in": ids}}, session=session)
        return {case["_id"]: documents.case_of(case, clocks[case["_id"]]) async for case in found}

    async def _save(
        self, cases: Sequence[Case], before: Mapping[str, Case], session: Session
    ) -> None:
        if not cases:
            return
        written = [
            ReplaceOne({"_id": case.ticket_id}, documents.case_document(case), upsert=True)
            for case in cases
        ]
        await self._cases.bulk_write(written, ordered=False, session=session)
        clocks = [write for case in cases for write in _clock_writes(case, before)]
        if clocks:
            await self._clocks.bulk_write(clocks, ordered=False, session=session)

    async def _put_out(self, rows: list[Document], now: datetime, session: Session) -> None:
        if rows:
            await self._outbox.insert_many(documents.queued(rows, now), session=session)


def _clock_writes(case: Case, before: Mapping[str, Case]) -> list[ReplaceOne[Document]]:
    """Writes of the clocks that changed."""
    known = before.get(case.ticket_id)
    unchanged = set(known.clocks) if known else set()
    return [
        ReplaceOne({"_id": clock.id}, documents.clock_document(clock, number), upsert=True)
        for number, clock in enumerate(case.clocks)
        if clock not in unchanged
    ]
