"""notify's collections beside the ledger: its view of tickets, the directory, and the counters."""

from collections import Counter
from collections.abc import Collection as Many
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.notify.domain import view as views
from services.notify.domain.customers import (
    PREVIOUS_TICKETS,
    RECENT_INVOICES,
    Customer,
    PreviousTicket,
)
from services.notify.domain.limits import Counts
from services.notify.domain.view import TicketView
from shared.bus import TransientError
from shared.contracts.directory import Account, Balance, Contact, Invoice, Service
from shared.contracts.topics import DIRECTORY
from shared.mongo import (
    Collection,
    Database,
    DeleteOne,
    Document,
    Index,
    ReplaceOne,
    Session,
    store_versions,
)

COUNTERS_KEPT = timedelta(days=2)

INDEXES = (
    Index("tickets", [("account_id", 1), ("state.opened_at", -1)]),
    Index("tickets", [("requester", 1), ("state.opened_at", -1)]),
    Index("directory", [("account_id", 1), ("type", 1)]),
    Index("counters", [("last_at", 1)], expire_after_s=int(COUNTERS_KEPT.total_seconds())),
)


@dataclass(frozen=True)
class Store:
    """The collections; every method is one or two queries."""

    tickets: Collection
    directory: Collection
    counters: Collection

    @classmethod
    def of(cls, database: Database) -> "Store":
        """The collections of notify's database."""
        return cls(database["tickets"], database["directory"], database["counters"])

    async def views(self, ticket_ids: Iterable[str]) -> dict[str, TicketView]:
        """The views that exist, by ticket id."""
        found = self.tickets.find({"_id": {"$in": sorted(set(ticket_ids))}})
        return {d["_id"]: views.from_document(d) async for d in found}

    async def save_views(
        self, changed: Iterable[TicketView], loaded: Mapping[str, int], session: Session
    ) -> None:
        """Store newer views than those ``loaded`` (their seq by ticket id).

        Raises `TransientError` where another process stored one meanwhile; all is to be done anew.
        """
        documents = [views.to_document(view) for view in changed]
        if not await store_versions(self.tickets, documents, loaded, session):
            raise TransientError("a view was changed meanwhile")

    async def counts(self, places: Many[str]) -> dict[str, dict[str, Counts]]:
        """How many mails went there, by kind of cap."""
        if not places:
            return {}
        found = self.counters.find({"_id": {"$in": sorted(places)}})
        return {d["_id"]: d["kinds"] async for d in found}

    async def save_counts(
        self, changed: Mapping[str, dict[str, Counts]], now: datetime, session: Session
    ) -> None:
        """Store what `Counters` changed."""
        writes = [
            ReplaceOne({"_id": place}, {"_id": place, "kinds": kinds, "last_at": now}, upsert=True)
            for place, kinds in changed.items()
        ]
        if writes:
            await self.counters.bulk_write(writes, ordered=False, session=session)

    async def keep_directory(self, entries: Sequence[tuple[str, Any]]) -> None:
        """Store (key, record or None) pairs in order; None deletes."""
        writes = [
            DeleteOne({"_id": key})
            if record is None
            else ReplaceOne({"_id": key}, _entry(key, record), upsert=True)
            for key, record in entries
        ]
        if writes:
            await self.directory.bulk_write(writes, ordered=True)

    async def without_history(self, views: Iterable[TicketView]) -> set[str]:
        """Those of the tickets whose requesters are in no account and have no other ticket.

        So are most of a busy desk's, and one query for all of them spares one for each.
        """
        strangers = {
            view.ticket_id: view.state.requester for view in views if not view.state.account_id
        }
        wanted = {"requester": {"$in": sorted(set(strangers.values()))}}
        found = self.tickets.find(wanted, {"requester": 1}).limit(2 * len(strangers) + 1)
        counts = Counter([d["requester"] async for d in found])
        if counts.total() > 2 * len(strangers):
            return set()  # perhaps not all were seen
        return {ticket for ticket, requester in strangers.items() if counts[requester] == 1}

    async def customer(self, view: TicketView) -> Customer:
        """What is known about the customer of a ticket."""
        account_id = view.state.account_id
        entries: list[Document] = []
        if account_id:
            of_account = [{"_id": f"account:{account_id}"}, {"account_id": account_id}]
            entries = await self.directory.find({"$or": of_account}).to_list(None)
        known = [_record(entry) for entry in entries]
        invoices = [r for r in known if isinstance(r, Invoice)]
        invoices.sort(key=lambda invoice: invoice.date, reverse=True)
        return Customer(
            account=next((r for r in known if isinstance(r, Account)), None),
            contact=next((r for r in known if isinstance(r, Contact)), None),
            services=tuple(r for r in known if isinstance(r, Service)),
            invoices=tuple(invoices[:RECENT_INVOICES]),
            balance=next((r for r in known if isinstance(r, Balance)), None),
            previous=await self._previous(view),
        )

    async def _previous(self, view: TicketView) -> tuple[PreviousTicket, ...]:
        """The newest other tickets of the account, or of the requester where there is none."""
        state = view.state
        whose = {"account_id": state.account_id} if state.account_id else None
        wanted: Document = {
            **(whose or {"requester": state.requester}),
            "_id": {"$ne": view.ticket_id},
        }
        shown = {"subject": 1, "state.status": 1, "state.opened_at": 1}
        found = self.tickets.find(wanted, shown).sort("state.opened_at", -1)
        return tuple(
            PreviousTicket(d["_id"], d["subject"], d["state"]["status"], d["state"]["opened_at"])
            for d in await found.limit(PREVIOUS_TICKETS).to_list(None)
        )


_BY_TYPE = {record.model_fields["type"].default: record for record in DIRECTORY.records}


def _entry(key: str, record: Any) -> Document:
    return {**record.model_dump(mode="json"), "_id": key}


def _record(entry: Document) -> Any:
    return _BY_TYPE[entry["type"]].model_validate(entry)
