"""The store of tickets in memory: the same promises, without MongoDB."""

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from typing import Any

from services.tickets import documents
from services.tickets.domain.contacts import People, domain_of, folded
from services.tickets.domain.facts import Absence
from services.tickets.mail_commands.drafts import Draft
from services.tickets.store import Changes, Party, SentText, Versioned
from shared.bus import TransientError
from shared.contracts.directory import Account, Contact
from shared.contracts.ticket import TicketEvent
from shared.contracts.ticket_state import Message

COLLECTIONS = (
    *("handled", "tickets", "messages", "events", "outbox"),
    *("drafts", "sent", "directory", "rotation", "bars", "absences", "handovers"),
)
Rows = dict[str, dict[str, Any]]


class MemoryTickets:
    """Collections as dictionaries by ``_id``."""

    def __init__(self) -> None:
        self.collections: dict[str, Rows] = {name: {} for name in COLLECTIONS}
        self._counters: dict[str, int] = {}
        self.texts: dict[str, str] = {}
        """What stands for the blob store."""

    async def rows(self, name: str) -> list[dict[str, Any]]:
        """All of a collection in the order of the outbox, or of the ids."""
        return sorted(
            deepcopy(list(self.collections[name].values())),
            key=lambda row: (row.get("order", 0), row["_id"]),
        )

    async def keep_text(self, ticket_id: str, text: str) -> str:
        name = f"{ticket_id}/{len(self.texts)}"
        self.texts[name] = text
        return name

    async def handled(self, ids: Collection[str]) -> set[str]:
        return set(ids) & set(self.collections["handled"])

    async def owners(self, message_ids: Collection[str]) -> dict[str, str]:
        owners = {}
        for row in self.collections["sent"].values():
            for name in ("message_id", "relay_message_id"):
                owners[row[name]] = row["ticket_id"]
        for row in self.collections["messages"].values():
            if row["ticket_id"]:
                owners[row["message_id"]] = row["ticket_id"]
        return {name: owners[name] for name in message_ids if name in owners}

    async def unreadable(self, inbound_ids: Collection[str]) -> dict[str, tuple[str, int]]:
        return {
            row["inbound_id"]: (row["ticket_id"], row["number"])
            for row in self.collections["messages"].values()
            if row["inbound_id"] in inbound_ids and row["unreadable"] and row["ticket_id"]
        }

    async def tickets(self, ids: Collection[str]) -> dict[str, Versioned]:
        found = {name: self.collections["tickets"].get(name) for name in ids}
        return {
            name: Versioned(documents.ticket_of(row), row["order"])
            for name, row in found.items()
            if row
        }

    async def drafts(self, ticket_ids: Collection[str]) -> list[Draft]:
        drafts = map(documents.draft_of, self.collections["drafts"].values())
        return [d for d in drafts if d.ticket_id in ticket_ids and d.state == "held"]

    async def people(self, addresses: Collection[str]) -> People:
        names = {folded(address) for address in addresses}
        domains = {domain_of(address) for address in addresses}
        rows = self.collections["directory"].values()
        contacts = [
            Contact.model_validate(r["data"]) for r in rows if names & set(r.get("addresses", []))
        ]
        of_contacts = {contact.account_id for contact in contacts}
        accounts = [
            Account.model_validate(r["data"])
            for r in rows
            if domains & set(r.get("domains", []))
            or (r["kind"] == "account" and r["data"]["id"] in of_contacts)
        ]
        return People(contacts, accounts)

    async def open_loads(self, agents: Collection[str]) -> dict[str, int]:
        loads = dict.fromkeys(agents, 0)
        for row in self.collections["tickets"].values():
            state = row["state"]
            if state["assignee"] in loads and state["status"] not in ("resolved", "closed"):
                loads[state["assignee"]] += 1
        return loads

    async def assigned_to(
        self, agent: str, statuses: Collection[str], limit: int
    ) -> dict[str, Versioned]:
        rows = self.collections["tickets"].values()
        theirs = [row["_id"] for row in rows if row["state"]["assignee"] == agent]
        found = await self.tickets(theirs)
        wanted = {name: t for name, t in found.items() if t.ticket.state.status in statuses}
        return dict(list(wanted.items())[:limit])

    async def absences(self, agents: Collection[str]) -> dict[str, Absence]:
        rows = self.collections["absences"].items()
        return {name: documents.absence_of(row) for name, row in rows if name in agents}

    async def handed_over(self, names: Collection[str]) -> set[str]:
        return set(names) & set(self.collections["handovers"])

    async def note_handed_over(self, name: str, until: datetime) -> None:
        self.collections["handovers"][name] = {"_id": name, "until": until}

    async def claim_numbers(self, count: int) -> list[int]:
        last = self._advance("tickets", count)
        return list(range(last - count + 1, last + 1))

    async def claim_slots(self, wanted: Mapping[str, str], now: datetime) -> dict[str, int]:
        for name, team in wanted.items():
            if name not in self.collections["rotation"]:
                slot = self._advance(team, 1) - 1
                self.collections["rotation"][name] = {"_id": name, "slot": slot, "at": now}
        return {name: self.collections["rotation"][name]["slot"] for name in wanted}

    async def commit(self, changes: Changes) -> None:
        stored = self.collections["tickets"]
        for row in changes.tickets:
            if stored.get(row["_id"], {"seq": 0})["seq"] != changes.loaded[row["_id"]]:
                raise TransientError("a ticket was changed meanwhile")
        if set(changes.handled) & set(self.collections["handled"]):
            raise TransientError("another process was faster")
        self.collections["handled"] |= {name: {"_id": name} for name in changes.handled}
        for name in ("tickets", "events", "messages", "outbox", "drafts"):
            rows = deepcopy(getattr(changes, name))
            self.collections[name] |= {row["_id"]: row for row in rows}
        self.collections["messages"] |= {row["_id"]: deepcopy(row) for row in changes.reread}
        self.collections["bars"] |= deepcopy(changes.bars)
        self.collections["absences"] |= changes.absences

    async def barred(self, names: Collection[str]) -> set[str]:
        rows = self.collections["bars"]
        return {name for name in names if name in rows and rows[name]["barred"]}

    async def conversation(self, ticket_id: str) -> tuple[list[Message], list[TicketEvent]]:
        messages = [row for row in await self.rows("messages") if row["ticket_id"] == ticket_id]
        events = [row for row in await self.rows("events") if row["ticket_id"] == ticket_id]
        numbered = [Message.model_validate(row) for row in messages if row["number"]]
        return numbered, [documents.event_of(row) for row in events]

    async def note_sent(self, rows: Sequence[dict[str, Any]]) -> None:
        self.collections["sent"] |= {row["_id"]: row for row in rows}

    async def sent_texts(
        self, message_ids: Collection[str], parties: Collection[Party]
    ) -> list[SentText]:
        sent = sorted(self.collections["sent"].values(), key=lambda row: row["at"], reverse=True)
        found = []
        for row in sent:
            ids = {row["message_id"], row["relay_message_id"]}
            party = (row["ticket_id"], row["recipient"])
            if row["text_blob"] in self.texts and (ids & set(message_ids) or party in parties):
                found.append(SentText(frozenset(ids), party, self.texts[row["text_blob"]]))
        return found

    async def keep_directory(self, entries: Mapping[str, dict[str, Any] | None]) -> None:
        for key, entry in entries.items():
            if entry is None:
                self.collections["directory"].pop(key, None)
            else:
                self.collections["directory"][key] = entry

    def _advance(self, counter: str, count: int) -> int:
        self._counters[counter] = self._counters.get(counter, 0) + count
        return self._counters[counter]
