"""The ledger: one row for each (event, recipient, kind), from planned to sent or given up.

``planned`` waits to be written; ``queued`` has its bytes, which never change; ``sending`` is leased
to a process; ``sent``, ``failed``, ``suppressed`` and ``bundled`` (told in another row's mail) end;
``bounced`` was sent and came back.
"""

import hashlib
from collections.abc import Collection as Many
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from services.notify.domain.headers import PROFILES, MailClass
from services.notify.domain.planning import Kind
from services.notify.stationery import Letter
from shared.mongo import Collection, Document, Index, Session, UpdateOne, checked
from shared.variants import but

State = Literal[
    "planned",
    "queued",
    "sending",
    "sent",
    "deferred",
    "failed",
    "bounced",
    "suppressed",
    "bundled",
]

LEASE = timedelta(seconds=90)
INLINE_BYTES = 256 * 1024
"""Larger mails are blobs, so that a look at the ledger stays cheap."""
CHANGED_BY_A_TRY = ("state", "refusals", "failures", "detail", "settled_at")

UNTOLD = ["planned", "suppressed", "bundled"]
WITHOUT_BYTES = {"raw": 0, "text": 0}

INDEXES = (
    Index("outgoing", [("not_before", 1)], partial={"state": "planned"}),
    Index("outgoing", [("next_try_at", 1)], partial={"next_try_at": {"$exists": True}}),
    Index("outgoing", [("ticket_id", 1), ("recipient", 1)]),
    # A ticket may have hundreds of rows with their bytes; those that wait are few.
    Index("outgoing", [("ticket_id", 1)], partial={"state": "planned"}),
)


@dataclass(frozen=True)
class Row:
    """One mail to one recipient. ``next_try_at`` is when the row may be claimed by anybody.

    ``settled_at`` is when the last try ended.
    """

    id: str
    kind: Kind
    mail_class: MailClass
    reason: str
    recipient: str
    ticket_id: str
    event_id: str
    correlation_id: str
    seq: int
    created_at: datetime
    state: State = "queued"
    not_before: datetime | None = None
    until_clocks: bool = False
    next_try_at: datetime | None = None
    lease_owner: str = ""
    message_id: str = ""
    envelope_from: str = ""
    raw: bytes = b""
    raw_blob: str = ""
    text: str = ""
    seen_seq: int = 0
    bundled_into: str = ""
    refusals: int = 0
    failures: int = 0
    detail: str = ""
    settled_at: datetime | None = None

    def but(self, **changes: Any) -> "Row":
        """A copy with other values."""
        return but(self, **changes)

    def written(self, letter: Letter, *, raw_blob: str = "") -> "Row":
        """The row with its bytes; they are never rendered again."""
        return self.but(
            message_id=letter.message_id,
            envelope_from=letter.envelope_from,
            raw=b"" if raw_blob else letter.raw,
            raw_blob=raw_blob,
            text=letter.text,
        )

    def queued(self, now: datetime) -> "Row":
        """For any process to claim."""
        return self.but(state="queued", next_try_at=now, lease_owner="")

    def leased(self, owner: str, now: datetime) -> "Row":
        """For ``owner`` alone until the lease ends."""
        return self.but(state="sending", next_try_at=now + LEASE, lease_owner=owner)


def outgoing_id(event_id: str, recipient: str, kind: str) -> str:
    """The id of a row: the same fact gives the same row, so nothing is told twice."""
    return hashlib.sha256(f"{event_id}\0{recipient}\0{kind}".encode()).hexdigest()[:32]


def to_document(row: Row) -> Document:
    """As MongoDB keeps it."""
    document = dict(vars(row))
    document["_id"] = document.pop("id")
    if document["next_try_at"] is None:
        del document["next_try_at"]
    return document


def from_document(document: Document) -> Row:
    """The row that `to_document` was given; fields of later releases are ignored."""
    known = {name: document[name] for name in Row.__dataclass_fields__ if name in document}
    return Row(**{**known, "id": document["_id"], "raw": bytes(document.get("raw", b""))})


class Ledger:
    """The collection of rows."""

    def __init__(self, collection: Collection) -> None:
        self._rows = collection

    async def add(self, rows: Sequence[Row], session: Session) -> None:
        """Insert new rows; a row that exists aborts the transaction."""
        if rows:
            await self._rows.insert_many([*map(to_document, rows)], session=session)

    async def known(self, ids: Sequence[str]) -> set[str]:
        """Which of the ids have a row."""
        found = self._rows.find({"_id": {"$in": list(ids)}}, {"_id": 1})
        return {document["_id"] async for document in found}

    async def due(self, now: datetime, limit: int, known: Many[str] = ()) -> list[Row]:
        """Planned rows of the bundles that are due, all rows of each, oldest first.

        What waits for the clocks of a ticket is due when they are ``known``.
        """
        ripe: list[Document] = [{"not_before": {"$lte": now}}]
        if known:
            ripe.append({"ticket_id": {"$in": list(known)}, "until_clocks": True})
        shown = {"ticket_id": 1, "recipient": 1}
        found = self._rows.find({"state": "planned", "$or": ripe}, shown).limit(limit)
        keys = {(row["ticket_id"], row["recipient"]) async for row in found}
        if not keys:
            return []
        wanted = {
            "state": "planned",
            "ticket_id": {"$in": [ticket for ticket, _ in keys]},
            "recipient": {"$in": list({recipient for _, recipient in keys})},
        }
        rows = [from_document(d) async for d in self._rows.find(wanted).sort("seq", 1)]
        return [row for row in rows if (row.ticket_id, row.recipient) in keys]

    async def next_due_at(self) -> datetime | None:
        """When the next planned row becomes due."""
        first = self._rows.find({"state": "planned"}, {"not_before": 1}).sort("not_before", 1)
        found = await first.limit(1).to_list(None)
        return found[0]["not_before"] if found else None

    async def told(self, tickets: Many[str], since: datetime) -> list[Row]:
        """Automatic mails about these tickets, without their bytes."""
        if not tickets:
            return []
        classes = [name for name, profile in PROFILES.items() if profile.automatic]
        wanted = {"ticket_id": {"$in": list(tickets)}, "created_at": {"$gt": since}}
        sent = {"mail_class": {"$in": classes}, "state": {"$nin": UNTOLD}}
        found = self._rows.find({**wanted, **sent}, WITHOUT_BYTES)
        return [from_document(d) async for d in found]

    async def notices(self, tickets: Many[str]) -> list[Row]:
        """Notices written about these tickets, oldest first, without their bytes."""
        wanted = {"ticket_id": {"$in": list(tickets)}, "mail_class": "notice"}
        found = self._rows.find({**wanted, "state": {"$nin": UNTOLD}}, WITHOUT_BYTES)
        return [from_document(d) async for d in found.sort([("created_at", 1), ("seq", 1)])]

    async def write(self, written: Sequence[Row], bundled: Sequence[Row], session: Session) -> bool:
        """Store bytes of planned rows; False when somebody else was faster with one of them."""
        rows = [*written, *bundled]
        planned = {"state": "planned"}
        ids, still = await checked(self._rows, [row.id for row in rows], planned, session)
        if len(ids) < len(rows):
            return False
        changes = [UpdateOne({"_id": row.id, **still}, {"$set": _without_id(row)}) for row in rows]
        result = await self._rows.bulk_write(changes, ordered=False, session=session)
        return result.matched_count == len(changes)

    async def postpone(self, ids: Sequence[str], until: datetime) -> None:
        """Let planned rows wait longer."""
        await self._rows.update_many(
            {"_id": {"$in": list(ids)}, "state": "planned"}, {"$set": {"not_before": until}}
        )

    async def claim(self, owner: str, now: datetime, limit: int) -> list[Row]:
        """Lease rows that are due or whose lease ran out."""
        open_states = ["queued", "deferred", "sending"]
        due = {"next_try_at": {"$lte": now}, "state": {"$in": open_states}}
        found = self._rows.find(due, {"_id": 1}).sort("next_try_at", 1).limit(limit)
        ids = [document["_id"] async for document in found]
        if not ids:
            return []
        until = now + LEASE
        lease = {"state": "sending", "lease_owner": owner, "next_try_at": until}
        await self._rows.update_many({"_id": {"$in": ids}, **due}, {"$set": lease})
        mine = {"_id": {"$in": ids}, "lease_owner": owner, "next_try_at": until}
        return [from_document(document) async for document in self._rows.find(mine)]

    async def take_back(self, owner: str, now: datetime) -> int:
        """Open what an earlier process of the same name had leased: it is not running any more."""
        # `next_try_at` leads to the index of open rows, past the years of mail that was sent.
        mine = {"next_try_at": {"$exists": True}, "state": "sending", "lease_owner": owner}
        change = {"$set": {"state": "queued", "next_try_at": now, "lease_owner": ""}}
        return int((await self._rows.update_many(mine, change)).modified_count)

    async def mark(self, owner: str, rows: Sequence[Row], session: Session) -> None:
        """Store what became of rows that ``owner`` has leased; others' rows stay as they are."""
        leased = {"state": "sending", "lease_owner": owner}
        ids, still = await checked(self._rows, [row.id for row in rows], leased, session)
        changes = []
        for row in rows:
            if row.id not in ids:
                continue
            changed = {name: getattr(row, name) for name in CHANGED_BY_A_TRY}
            change: Document = {"$set": {**changed, "lease_owner": ""}}
            if row.next_try_at is None:
                change["$unset"] = {"next_try_at": ""}
            else:
                change["$set"]["next_try_at"] = row.next_try_at
            changes.append(UpdateOne({"_id": row.id, **still}, change))
        if changes:
            await self._rows.bulk_write(changes, ordered=False, session=session)

    async def tried(self, ticket_id: str, recipient: str) -> list[Row]:
        """Mails of a ticket that were given to the relay, newest first, without their bytes."""
        wanted = {"ticket_id": ticket_id, "recipient": recipient, "state": {"$nin": UNTOLD}}
        found = self._rows.find(wanted, WITHOUT_BYTES).sort("created_at", -1)
        return [from_document(d) async for d in found]

    async def mark_bounced(self, reports: Mapping[str, Document], session: Session) -> None:
        """Note on rows that were sent the ``at`` and ``detail`` of the report of their failure."""
        changes = [
            UpdateOne(
                {"_id": name, "state": "sent"}, {"$set": {"state": "bounced", "report": said}}
            )
            for name, said in reports.items()
        ]
        if changes:
            await self._rows.bulk_write(changes, ordered=False, session=session)

    async def ready_count(self, now: datetime) -> int:
        """Rows that could be claimed now."""
        return int(await self._rows.count_documents({"next_try_at": {"$lte": now}}))


def _without_id(row: Row) -> dict[str, Any]:
    document = to_document(row)
    del document["_id"]
    return document
