"""The collections of tickets in MongoDB, and their indexes."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from services.tickets import documents
from services.tickets.domain.contacts import People, domain_of, folded
from services.tickets.domain.facts import Absence
from services.tickets.mail_commands.drafts import Draft
from services.tickets.store import OPEN, Changes, Party, SentText, Versioned
from shared.blobs import Blobs
from shared.bus import TransientError, outbox_index
from shared.census import set_aside_index
from shared.contracts.directory import Account, Contact
from shared.contracts.ticket import TicketEvent
from shared.contracts.ticket_state import Message, Status
from shared.mongo import (
    BulkWriteError,
    Client,
    Database,
    DeleteOne,
    Document,
    Index,
    ReplaceOne,
    ReturnDocument,
    Session,
    only_duplicates,
    store_versions,
    transaction,
    unjournaled,
)
from shared.mongo import database as database_of
from shared.senders import TOLD_DATABASE, TOLD_SENDERS

OUTBOX_ORDER = (("order", 1), ("_id", 1))
ANNOUNCED_ORDER = (("order", 1), ("place", 1), ("_id", 1))
HANDLED_KEPT_S = 60 * 86_400  # twice what topics keep, so that no redelivery finds its mark gone

SENT_TEXTS = 1_000
RECENT_EVENTS = 1_000
"""So many at most are looked at for one batch; what is not found is left to guessing."""

INDEXES = (
    Index("tickets", [("state.requester", 1), ("state.opened_at", -1)]),
    Index("tickets", [("state.account_id", 1), ("state.opened_at", -1)]),
    Index("tickets", [("state.assignee", 1), ("state.status", 1)]),
    Index("messages", [("ticket_id", 1), ("at", 1)]),
    Index("messages", [("message_id", 1)], partial={"message_id": {"$gt": ""}}),
    Index("messages", [("inbound_id", 1)], unique=True, partial={"inbound_id": {"$gt": ""}}),
    Index("events", [("ticket_id", 1), ("seq", 1)], unique=True),
    Index("events", [("at", 1)], partial={"type": "ticket.opened"}, options={"name": "opened"}),
    outbox_index("announcements", ANNOUNCED_ORDER),
    set_aside_index("announcements"),
    Index("announcements", [("published_at", 1)], expire_after_s=HANDLED_KEPT_S),
    outbox_index("outbox", OUTBOX_ORDER),
    set_aside_index("outbox"),
    Index("outbox", [("published_at", 1)], expire_after_s=HANDLED_KEPT_S),
    Index("handled", [("at", 1)], expire_after_s=HANDLED_KEPT_S),
    Index("rotation", [("at", 1)], expire_after_s=HANDLED_KEPT_S),
    Index("drafts", [("ticket_id", 1), ("state", 1)]),
    Index("sent", [("message_id", 1)]),
    Index("sent", [("ticket_id", 1), ("recipient", 1), ("at", -1)]),
    Index("sent", [("relay_message_id", 1)], partial={"relay_message_id": {"$gt": ""}}),
    Index("handovers", [("until", 1)], expire_after_s=HANDLED_KEPT_S),
    Index("directory", [("addresses", 1)]),
    Index("directory", [("domains", 1)]),
)


class MongoStore:
    """The store in MongoDB."""

    def __init__(self, client: Client, database: Database, blobs: Blobs) -> None:
        self._client = client
        self._db = database
        self._blobs = blobs
        self._told = database_of(client, TOLD_DATABASE)[TOLD_SENDERS]
        self._recent: dict[str, Document] = {}

    async def handled(self, ids: Collection[str]) -> set[str]:
        """See `Store`."""
        found = self._db["handled"].find({"_id": {"$in": list(ids)}}, {"_id": 1})
        return {document["_id"] for document in await found.to_list(None)}

    async def owners(self, message_ids: Collection[str]) -> dict[str, str]:
        """See `Store`; a stored message wins over a mail sent."""
        if not message_ids:
            return {}
        wanted = {"$in": list(message_ids)}
        either = {"$or": [{"message_id": wanted}, {"relay_message_id": wanted}]}
        fields = {"message_id": 1, "relay_message_id": 1, "ticket_id": 1}
        sent, stored = await asyncio.gather(
            self._db["sent"].find(either, fields).to_list(None),
            self._db["messages"].find({"message_id": wanted}, fields).to_list(None),
        )
        owners: dict[str, str] = {}
        for document in [*sent, *stored]:
            if document["ticket_id"]:
                owners[document["message_id"]] = document["ticket_id"]
                owners[document.get("relay_message_id") or ""] = document["ticket_id"]
        return owners

    async def unreadable(self, inbound_ids: Collection[str]) -> dict[str, tuple[str, int]]:
        """See `Store`."""
        wanted = {"inbound_id": {"$in": list(inbound_ids)}, "unreadable": {"$gt": ""}}
        found = await self._db["messages"].find(wanted).to_list(None)
        return {d["inbound_id"]: (d["ticket_id"], d["number"]) for d in found if d["ticket_id"]}

    async def tickets(self, ids: Collection[str]) -> dict[str, Versioned]:
        """See `Store`."""
        if not ids:
            return {}
        found = await self._db["tickets"].find({"_id": {"$in": list(ids)}}).to_list(None)
        return {d["_id"]: Versioned(documents.ticket_of(d), d["order"]) for d in found}

    async def drafts(self, ticket_ids: Collection[str]) -> list[Draft]:
        """See `Store`."""
        if not ticket_ids:
            return []
        held = {"ticket_id": {"$in": list(ticket_ids)}, "state": "held"}
        return [documents.draft_of(d) for d in await self._db["drafts"].find(held).to_list(None)]

    async def people(self, addresses: Collection[str]) -> People:
        """See `Store`."""
        names = sorted({folded(address) for address in addresses})
        domains = sorted({domain_of(address) for address in addresses})
        either = {"$or": [{"addresses": {"$in": names}}, {"domains": {"$in": domains}}]}
        found = await self._db["directory"].find(either).to_list(None)
        contacts = [Contact.model_validate(d["data"]) for d in found if d["kind"] == "contact"]
        accounts = [Account.model_validate(d["data"]) for d in found if d["kind"] == "account"]
        missing = People(contacts, accounts).missing_accounts
        if missing:
            ids = {"_id": {"$in": [f"account:{name}" for name in missing]}}
            more = await self._db["directory"].find(ids).to_list(None)
            accounts += [Account.model_validate(d["data"]) for d in more]
        return People(contacts, accounts)

    async def open_loads(self, agents: Collection[str]) -> dict[str, int]:
        """See `Store`."""
        wanted = {"state.assignee": {"$in": list(agents)}, "state.status": {"$in": list(OPEN)}}
        group = {"_id": "$state.assignee", "count": {"$sum": 1}}
        found = self._db["tickets"].aggregate([{"$match": wanted}, {"$group": group}])
        return dict.fromkeys(agents, 0) | {d["_id"]: d["count"] async for d in found}

    async def assigned_to(
        self, agent: str, statuses: Collection[Status], limit: int
    ) -> dict[str, Versioned]:
        """See `Store`."""
        wanted = {"state.assignee": agent, "state.status": {"$in": list(statuses)}}
        found = await self._db["tickets"].find(wanted).limit(limit).to_list(None)
        return {d["_id"]: Versioned(documents.ticket_of(d), d["order"]) for d in found}

    async def absences(self, agents: Collection[str]) -> dict[str, Absence]:
        """See `Store`."""
        found = await self._db["absences"].find({"_id": {"$in": list(agents)}}).to_list(None)
        return {document["_id"]: documents.absence_of(document) for document in found}

    async def barred(self, names: Collection[str]) -> set[str]:
        """See `Store`."""
        found = self._db["bars"].find({"_id": {"$in": list(names)}, "barred": True}, {"_id": 1})
        return {document["_id"] for document in await found.to_list(None)}

    async def handed_over(self, names: Collection[str]) -> set[str]:
        """See `Store`."""
        found = self._db["handovers"].find({"_id": {"$in": list(names)}}, {"_id": 1})
        return {document["_id"] for document in await found.to_list(None)}

    async def note_handed_over(self, name: str, until: datetime) -> None:
        """See `Store`."""
        row = {"_id": name, "until": until}
        await self._db["handovers"].replace_one({"_id": name}, row, upsert=True)

    async def claim_numbers(self, count: int) -> list[int]:
        """See `Store`; outside any transaction, so that batches do not wait for each other."""
        if not count:
            return []
        last = await self._advance("tickets", count)
        return list(range(last - count + 1, last + 1))

    async def claim_slots(self, wanted: Mapping[str, str], now: datetime) -> dict[str, int]:
        """See `Store`."""
        if not wanted:
            return {}
        rotation = self._db["rotation"]
        found = await rotation.find({"_id": {"$in": list(wanted)}}).to_list(None)
        slots = {document["_id"]: int(document["slot"]) for document in found}
        fresh = [name for name in wanted if name not in slots]
        claimed: list[Document] = []
        for team in dict.fromkeys(wanted[name] for name in fresh):
            names = [name for name in fresh if wanted[name] == team]
            last = await self._advance(f"rotation:{team}", len(names))
            for place, name in enumerate(names):
                slot = last - len(names) + place
                claimed.append({"_id": name, "team": team, "slot": slot, "at": now})
                slots[name] = slot
        await self._insert_claims(claimed)
        return slots

    async def commit(self, changes: Changes) -> None:
        """See `Store`: one transaction, bulk writes."""

        async def work(session: Session) -> None:
            await self._guarded(changes, session)
            for name, rows in (
                ("announcements", documents.announcements(changes.events)),
                ("messages", changes.messages),
                ("outbox", changes.outbox),
            ):
                if rows:
                    await self._db[name].insert_many(rows, session=session)
            if changes.reread:
                news = [ReplaceOne({"_id": d["_id"]}, d) for d in changes.reread]
                await self._db["messages"].bulk_write(news, session=session)
            if changes.bars:
                bars = [ReplaceOne({"_id": n}, d, upsert=True) for n, d in changes.bars.items()]
                await self._db["bars"].bulk_write(bars, session=session)
                await self._told.bulk_write(bars, session=session)
            if changes.drafts:
                writes = [ReplaceOne({"_id": d["_id"]}, d, upsert=True) for d in changes.drafts]
                await self._db["drafts"].bulk_write(writes, session=session)

        await transaction(self._client, work)
        for row in changes.events:
            self._recent[row["_id"]] = {**row, documents.RECORD: changes.records[row["_id"]]}
        for name in list(self._recent)[:-RECENT_EVENTS]:
            del self._recent[name]

    async def announced(self, rows: Sequence[Document]) -> list[list[Document]]:
        """The events that each row of announcements names, in their order.

        Nearly all were written by this process a moment ago, and need not be read again.
        """
        names = [name for row in rows for name in row["events"]]
        events = {name: self._recent.pop(name) for name in names if name in self._recent}
        missing = [name for name in names if name not in events]
        if missing:
            found = await self._db["events"].find({"_id": {"$in": missing}}).to_list(None)
            events |= {event["_id"]: event for event in found}
        return [[events[name] for name in row["events"] if name in events] for row in rows]

    async def note_sent(self, rows: Sequence[Document]) -> None:
        """See `Store`."""
        if rows:
            try:
                await self._db["sent"].insert_many(rows, ordered=False)
            except BulkWriteError as error:
                if not only_duplicates(error):  # the same record again says nothing new
                    raise

    async def sent_texts(
        self, message_ids: Collection[str], parties: Collection[Party]
    ) -> list[SentText]:
        """See `Store`."""
        wanted = {"$in": list(message_ids)}
        either: list[Document] = [
            *([{"message_id": wanted}, {"relay_message_id": wanted}] if message_ids else []),
            *({"ticket_id": ticket, "recipient": who} for ticket, who in parties),
        ]
        if not either:
            return []
        found = self._db["sent"].find({"$or": either, "text_blob": {"$gt": ""}})
        rows = await found.sort("at", -1).limit(SENT_TEXTS).to_list(None)
        texts = await self._blobs.get_many([row["text_blob"] for row in rows])
        return [
            SentText(
                ids=frozenset({row["message_id"], row["relay_message_id"]}),
                party=(row["ticket_id"], row["recipient"]),
                text=texts[row["text_blob"]].decode("utf-8", "replace"),
            )
            for row in rows
            if row["text_blob"] in texts
        ]

    async def conversation(self, ticket_id: str) -> tuple[list[Message], list[TicketEvent]]:
        """See `Store`."""
        of_ticket = {"ticket_id": ticket_id}
        messages = await self._db["messages"].find(of_ticket).sort("at", 1).to_list(None)
        rows = await self._db["events"].find(of_ticket).sort("seq", 1).to_list(None)
        numbered = [Message.model_validate(d) for d in messages if d["number"]]
        return numbered, [documents.event_of(row) for row in rows]

    async def keep_directory(self, entries: Mapping[str, Document | None]) -> None:
        """See `Store`."""
        writes = [
            DeleteOne({"_id": key})
            if entry is None
            else ReplaceOne({"_id": key}, entry, upsert=True)
            for key, entry in entries.items()
        ]
        if writes:
            await self._db["directory"].bulk_write(writes, ordered=False)

    async def _guarded(self, changes: Changes, session: Session) -> None:
        """The writes that fail where another process handled a record or changed a ticket."""
        marks = [{"_id": name, "at": changes.at} for name in changes.handled]
        try:
            if marks:
                await self._db["handled"].insert_many(marks, session=session)
            if changes.tickets and not await store_versions(
                self._db["tickets"], changes.tickets, changes.loaded, session
            ):
                raise TransientError("a ticket was changed meanwhile")
            if changes.events:
                await self._db["events"].insert_many(changes.events, session=session)
            if changes.absences:
                said = [_later_words(d) for d in changes.absences.values()]
                await self._db["absences"].bulk_write(said, session=session)
        except BulkWriteError as error:
            if only_duplicates(error):
                raise TransientError("another process was faster") from error
            raise

    async def _advance(self, counter: str, count: int) -> int:
        # A number lost with a server is given out twice; the key of tickets lets one of them in.
        document = await unjournaled(self._db["counters"]).find_one_and_update(
            {"_id": counter},
            {"$inc": {"value": count}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return int(document["value"])

    async def _insert_claims(self, claimed: list[Document]) -> None:
        if not claimed:
            return
        try:
            await unjournaled(self._db["rotation"]).insert_many(claimed, ordered=False)
        except BulkWriteError as error:
            if not only_duplicates(error):
                raise
            raise TransientError("another process claimed the same turns") from error


def _later_words(absence: Document) -> ReplaceOne[Document]:
    """The write that fails where the agent has said something later meanwhile."""
    known = {"_id": absence["_id"], "said_at": {"$lte": absence["said_at"]}}
    return ReplaceOne(known, absence, upsert=True)


def directory_entry(record: Contact | Account) -> Document:
    """A directory record as it is looked up."""
    entry: Document = {"_id": record.key, "data": record.model_dump()}
    if isinstance(record, Contact):
        return {**entry, "kind": "contact", "addresses": [folded(a) for a in record.addresses]}
    return {**entry, "kind": "account", "domains": [name.lower() for name in record.domains]}
