"""The collections of sla: cases, clocks, accounts and the outbox."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.sla import documents
from services.sla.domain.case import Case
from services.sla.domain.clock import Told, at_which, fired
from services.sla.domain.policy import Customer
from shared.bus import GROUP_ORDER, group, outbox_index
from shared.census import set_aside_index
from shared.contracts.sla import DelayEnded
from shared.mongo import (
    Client,
    Database,
    DeleteOne,
    Document,
    Index,
    InsertOne,
    ReplaceOne,
    Session,
    UpdateOne,
    transaction,
)

_KEPT_S = 7 * 86_400
_Write = ReplaceOne[Document] | DeleteOne

INDEXES = (
    Index("clocks", [("next_at", 1)], partial={"next_at": {"$exists": True}}),
    Index("clocks", [("ticket_id", 1)]),
    Index("cases", [("account_id", 1)]),
    Index("cases", [("fitted_to", 1)], partial={"is_open": True}),
    Index("cases", [("stale", 1)], partial={"stale": True}),
    outbox_index("outbox", GROUP_ORDER),
    set_aside_index("outbox"),
    Index("outbox", [("parts._id", 1)]),
    Index("outbox", [("published_at", 1)], expire_after_s=_KEPT_S),
)


@dataclass(frozen=True)
class Loaded:
    """What is decided upon: cases by ticket, and customers by their account."""

    cases: Mapping[str, Case]
    customers: Mapping[str, Customer]


@dataclass(frozen=True)
class Changes:
    """What is to be stored together: cases as they are now, and rows for the outbox."""

    cases: Sequence[Case] = ()
    rows: Sequence[Document] = field(default=())


class Store:
    """Each method stores all that it says or nothing."""

    def __init__(self, client: Client, database: Database, configuration: str = "") -> None:
        """``configuration`` is the hash of the desk's configuration in force."""
        self._client = client
        self._configuration = configuration
        self._cases = database["cases"]
        self._clocks = database["clocks"]
        self._accounts = database["accounts"]
        self._outbox = database["outbox"]

    async def change(
        self,
        ticket_ids: Collection[str],
        account_ids: Collection[str],
        now: datetime,
        decide: Callable[[Loaded], Changes],
    ) -> Changes:
        """Load the cases that exist, decide, store; ``decide`` may be called more than once.

        Customers are those of the cases' accounts and of the ones named.
        """

        async def work(session: Session) -> Changes:
            cases = await self._load(ticket_ids, session)
            of_cases = (case.traits.account_id for case in cases.values())
            wanted = {*account_ids, *of_cases} - {""}
            changes = decide(Loaded(cases, await self._customers(wanted, session)))
            await self._save(changes.cases, cases, session)
            await self._put_out(list(changes.rows), now, session)
            return changes

        return await transaction(self._client, work)

    async def fire(self, now: datetime, limit: int) -> int:
        """Claim and tell what is due of up to ``limit`` clocks, in order; give how many clocks.

        Of several processes that fire at once one succeeds for each clock.
        """

        async def work(session: Session) -> int:
            due = self._clocks.find({"next_at": {"$lte": now}}, session=session)
            # In the order of the index: after an outage there may be many more than the limit.
            found = await due.sort("next_at", 1).limit(limit).to_list(None)
            # What comes after the last of a full batch is for the next one: nothing overtakes.
            until = found[-1]["next_at"] if len(found) == limit else now
            writes: list[ReplaceOne[Document] | DeleteOne] = []
            told: list[Told | DelayEnded] = []
            for document in found:
                if document.get("kind") == documents.DELAY:
                    writes.append(DeleteOne({"_id": document["_id"]}))
                    told.append(documents.delay_ended(document, now))
                    continue
                clock, news = fired(documents.clock_of(document), now, until)
                after = documents.clock_document(clock, document["number"])
                writes.append(ReplaceOne({"_id": clock.id}, after))
                told += news
            if writes:
                await self._clocks.bulk_write(writes, ordered=False, session=session)
            rows = [documents.fired_row(news) for news in sorted(told, key=at_which)]
            await self._put_out(rows, now, session)
            return len(found)

        return await transaction(self._client, work)

    async def next_at(self) -> datetime | None:
        """When the next clock has something to tell."""
        first = await self._clocks.find_one(
            {"next_at": {"$exists": True}}, {"next_at": 1}, sort=[("next_at", 1)]
        )
        return first["next_at"] if first else None

    async def note_accounts(self, customers: Mapping[str, Customer | None]) -> None:
        """Remember or forget customers by account; mark the open cases of changed ones."""
        if not customers:
            return

        async def work(session: Session) -> None:
            known = await self._customers(customers, session)
            nobody = Customer()
            changed = [
                name
                for name, new in customers.items()
                if (new or nobody) != known.get(name, nobody)
            ]
            await self._accounts.bulk_write(_account_writes(customers), session=session)
            of_changed = {"account_id": {"$in": changed}, "is_open": True}
            await self._cases.update_many(of_changed, {"$set": {"stale": True}}, session=session)

        await transaction(self._client, work)

    async def stale(self, limit: int) -> list[str]:
        """Tickets of some cases that are marked, or whose clocks follow another configuration.

        The latter are found by their index, not marked: a million would take too long.
        """
        misfits = {"is_open": True, "fitted_to": {"$ne": self._configuration}}
        marked = await self._ids({"stale": True}, limit)
        return marked or await self._ids(misfits, limit)

    async def _ids(self, wanted: Document, limit: int) -> list[str]:
        return [case["_id"] async for case in self._cases.find(wanted, {"_id": 1}).limit(limit)]

    async def customers(self, account_ids: Collection[str]) -> dict[str, Customer]:
        """What is known of the customers of these accounts."""
        return await self._customers(account_ids, None)

    async def restore_customers(self, customers: Mapping[str, Customer]) -> None:
        """Remember the customers of accounts that are not known at all."""
        if customers:
            writes = [
                UpdateOne({"_id": name}, {"$setOnInsert": vars(customer)}, upsert=True)
                for name, customer in customers.items()
            ]
            await self._accounts.bulk_write(writes, ordered=False)

    async def told(self, names: Collection[str]) -> set[str]:
        """Which of these ids are in the outbox."""
        found = self._outbox.find({"parts._id": {"$in": list(names)}}, {"parts._id": 1})
        return {part["_id"] async for row in found for part in row["parts"]} & set(names)

    async def tickets_after(self, ticket_id: str, limit: int) -> list[str]:
        """The next tickets of which there are cases, in the order of their ids."""
        found = self._cases.find({"_id": {"$gt": ticket_id}}, {"_id": 1}).sort("_id", 1)
        return [case["_id"] async for case in found.limit(limit)]

    async def forget(self, ticket_ids: Collection[str]) -> None:
        """Delete the cases and clocks of tickets."""
        ids = list(ticket_ids)
        await self._clocks.delete_many({"ticket_id": {"$in": ids}})
        await self._cases.delete_many({"_id": {"$in": ids}})

    async def _customers(
        self, account_ids: Collection[str], session: Session | None
    ) -> dict[str, Customer]:
        if not account_ids:
            return {}
        found = self._accounts.find({"_id": {"$in": list(account_ids)}}, session=session)
        return {
            account["_id"]: Customer(account["segment"], account.get("timezone", ""))
            async for account in found
        }

    async def _load(self, ticket_ids: Collection[str], session: Session) -> dict[str, Case]:
        ids = list(ticket_ids)
        clocks: dict[str, list[Document]] = {ticket_id: [] for ticket_id in ids}
        of_these = {"ticket_id": {"$in": ids}, "kind": {"$exists": False}}
        async for clock in self._clocks.find(of_these, session=session):
            clocks[clock["ticket_id"]].append(clock)
        found = self._cases.find({"_id": {"$in": ids}}, session=session)
        return {case["_id"]: documents.case_of(case, clocks[case["_id"]]) async for case in found}

    async def _save(
        self, cases: Sequence[Case], before: Mapping[str, Case], session: Session
    ) -> None:
        if not cases:
            return
        written = [
            ReplaceOne({"_id": case.ticket_id}, self._document(case))
            if case.ticket_id in before
            else InsertOne(self._document(case))
            for case in cases
        ]
        await self._cases.bulk_write(written, ordered=False, session=session)
        clocks = [write for case in cases for write in _clock_writes(case, before)]
        if clocks:
            await self._clocks.bulk_write(clocks, ordered=False, session=session)

    def _document(self, case: Case) -> Document:
        """Without a mark: what is stored follows the segment and configuration of now."""
        return documents.case_document(case, self._configuration)

    async def _put_out(self, rows: list[Document], now: datetime, session: Session) -> None:
        if rows:
            row = group(documents.queued(rows, now), now)
            await self._outbox.insert_one(row, session=session)


def _clock_writes(case: Case, before: Mapping[str, Case]) -> list[_Write]:
    """Writes of the clocks that changed, and of the delay if that did.

    Upserts: a rebuilding that was broken off may have left clocks whose case is gone.
    """
    known = before.get(case.ticket_id)
    unchanged = set(known.clocks) if known else set()
    writes: list[_Write] = [
        ReplaceOne({"_id": clock.id}, documents.clock_document(clock, number), upsert=True)
        for number, clock in enumerate(case.clocks)
        if clock not in unchanged
    ]
    if case.delayed_until != (known.delayed_until if known else None):
        writes.append(_delay_write(case))
    return writes


def _delay_write(case: Case) -> _Write:
    this = {"_id": documents.delay_id(case.ticket_id)}
    if case.delayed_until is None:
        return DeleteOne(this)
    delay = documents.delay_document(case.ticket_id, case.delayed_until)
    return ReplaceOne(this, delay, upsert=True)


def _account_writes(
    customers: Mapping[str, Customer | None],
) -> list[DeleteOne | UpdateOne]:
    return [
        DeleteOne({"_id": name})
        if customer is None
        else UpdateOne({"_id": name}, {"$set": vars(customer)}, upsert=True)
        for name, customer in customers.items()
    ]
