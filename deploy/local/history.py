"""What has happened to tickets, from the store of tickets: topics forget, the store does not."""

from collections.abc import AsyncIterator, Collection

from services.sla.domain.policy import Customer
from services.tickets import documents
from shared.contracts.base import Meta
from shared.contracts.ticket import TicketEvent
from shared.mongo import Database

TICKETS_AT_ONCE = 100


class History:
    """The events of all tickets, as they were published."""

    def __init__(self, tickets: Database, *, at_once: int = TICKETS_AT_ONCE) -> None:
        """``tickets`` is the database of the tickets service."""
        self._tickets = tickets
        self._at_once = at_once

    async def tickets(self) -> AsyncIterator[dict[str, int]]:
        """All tickets in groups; with each the event up to which its clocks were told of."""
        last = ""
        while True:
            following = self._tickets["tickets"].find({"_id": {"$gt": last}}, {"clocks_seq": 1})
            found = await following.sort("_id", 1).limit(self._at_once).to_list(None)
            if not found:
                return
            yield {ticket["_id"]: ticket["clocks_seq"] for ticket in found}
            last = found[-1]["_id"]

    async def events(
        self, ticket_ids: Collection[str]
    ) -> dict[str, list[tuple[TicketEvent, Meta]]]:
        """All events of these tickets with their attributes, each ticket's in their order."""
        rows = self._tickets["events"].find({"ticket_id": {"$in": list(ticket_ids)}})
        found: dict[str, list[tuple[TicketEvent, Meta]]] = {
            ticket_id: [] for ticket_id in ticket_ids
        }
        async for row in rows.sort([("ticket_id", 1), ("seq", 1)]):
            published = documents.event_outgoing(row)
            if isinstance(published.record, TicketEvent):
                found[row["ticket_id"]].append((published.record, published.meta))
        return found

    async def unknown(self, ticket_ids: Collection[str]) -> list[str]:
        """Those that are no tickets, or no longer."""
        found = self._tickets["tickets"].find({"_id": {"$in": list(ticket_ids)}}, {"_id": 1})
        known = {ticket["_id"] async for ticket in found}
        return [ticket_id for ticket_id in ticket_ids if ticket_id not in known]

    async def customers(self) -> dict[str, Customer]:
        """What of each account that tickets knows from the directory chooses policies."""
        accounts = self._tickets["directory"].find({"kind": "account"})
        entries = [row["data"] async for row in accounts]
        return {e["id"]: Customer.of(e["segment"], e.get("timezone", "")) for e in entries}
