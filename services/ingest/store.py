"""The collection ``inbound``: one row for each mail and mailbox, kept with its raw bytes.

A row is ``received`` until its record is on the bus, then ``announced``, or ``quarantined`` where
the parser was defeated and the record says so. Operators take it out of quarantine: to be
received once more, announced, or ``dropped``. What a filter calls spam, and what is more than its
sender may write, is ``withheld``: told to nobody until an operator lets it through. Who reads a
row holds a lease on it; a lease that runs out frees the row for anybody.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from shared.clock import Clock
from shared.mongo import ASCENDING, Collection, Document, Index, unjournaled

INBOUND = "inbound"
RECEIVED, ANNOUNCED, QUARANTINED = "received", "announced", "quarantined"
DROPPED, WITHHELD = "dropped", "withheld"
WAITING = "waiting"
"""Name of the index of the rows that wait to be read."""
LEASE_S = 15.0

INDEXES = (
    Index(
        INBOUND,
        # With all that is counted of it, so that no mail is fetched to be counted.
        [("state", ASCENDING), ("lease_until", ASCENDING), ("received_at", ASCENDING)],
        partial={"state": RECEIVED},
        options={"name": WAITING},
    ),
    Index(INBOUND, [("message_id", ASCENDING)]),
    Index(
        INBOUND,
        [("received_at", ASCENDING)],
        partial={"state": QUARANTINED},
        options={"name": "quarantine"},
    ),
    Index(
        INBOUND,
        [("received_at", ASCENDING)],
        partial={"state": WITHHELD},
        options={"name": "withheld"},
    ),
    # What no admin has been told of yet.
    Index(
        INBOUND,
        [("untold", ASCENDING), ("received_at", ASCENDING)],
        partial={"untold": True},
        options={"name": "untold"},
    ),
)


class InboundRows:
    """Leases on rows, and what becomes of them; ``holder`` names this process's leases."""

    def __init__(self, collection: Collection, clock: Clock, holder: str) -> None:
        self._rows = collection
        self._clock = clock
        self._holder = holder

    def fresh_lease(self) -> Document:
        """Fields of a new row that this process reads at once."""
        return {"lease_until": self._until(), "lease": self._holder, "attempts": 1}

    def no_lease(self) -> Document:
        """Fields of a new row that anybody may read."""
        return {"lease_until": self._clock.now(), "lease": "", "attempts": 0}

    async def claim(self, limit: int, held: Iterable[str]) -> list[Document]:
        """Lease the oldest free rows but those in ``held``; gives them with their raw bytes."""
        free = {"state": RECEIVED, "lease_until": {"$lte": self._clock.now()}}
        wanted = {**free, "_id": {"$nin": list(held)}}
        found = await self._rows.find(wanted, {"_id": 1}).sort("lease_until").to_list(limit)
        ids = [row["_id"] for row in found]
        if not ids:
            return []
        lease = {"lease_until": self._until(), "lease": self._holder}
        await self._rows.update_many(
            {**free, "_id": {"$in": ids}}, {"$set": lease, "$inc": {"attempts": 1}}
        )
        mine = {"_id": {"$in": ids}, "lease": self._holder, "state": RECEIVED}
        return await self._rows.find(mine).sort("received_at").to_list(None)

    async def renew(self, ids: Sequence[str]) -> None:
        """Hold the rows for longer."""
        await self._rows.update_many(self._mine(ids), {"$set": {"lease_until": self._until()}})

    async def release(self, ids: Sequence[str]) -> None:
        """Free the rows at once."""
        await self._rows.update_many(self._mine(ids), {"$set": {"lease_until": self._clock.now()}})

    async def release_all(self) -> None:
        """Free what an earlier process of the same name left behind."""
        now = self._clock.now()
        # What is free already needs nothing, and the time leads to the index of unread rows.
        held = {"state": RECEIVED, "lease_until": {"$gt": now}, "lease": self._holder}
        await self._rows.update_many(held, {"$set": {"lease_until": now}})

    async def announced(self, ids: Sequence[str]) -> None:
        """Mark rows whose records are on the bus."""
        await self._settle({"_id": {"$in": list(ids)}}, ANNOUNCED, {})

    async def quarantined(self, row_id: str, reason: str) -> None:
        """Mark a row whose record is on the bus, though the parser was defeated by the mail."""
        await self._settle({"_id": row_id}, QUARANTINED, {"unreadable": reason, "untold": True})

    async def withheld(self, ids: Sequence[str], reason: str) -> None:
        """Mark rows that nobody is told of, all for one reason."""
        marks = {"state": WITHHELD, "withheld": reason, "untold": True}
        await self._rows.update_many(
            {"_id": {"$in": list(ids)}}, {"$set": marks, "$unset": {"lease": "", "lease_until": ""}}
        )

    async def _settle(self, which: Document, state: str, more: Document) -> None:
        # A mark that is lost with a server only has the mail announced once more.
        marks = {"state": state, "announced_at": self._clock.now(), **more}
        await unjournaled(self._rows).update_many(
            which, {"$set": marks, "$unset": {"lease": "", "lease_until": ""}}
        )

    def _mine(self, ids: Sequence[str]) -> Document:
        return {"_id": {"$in": list(ids)}, "state": RECEIVED, "lease": self._holder}

    def _until(self) -> datetime:
        return self._clock.now() + timedelta(seconds=LEASE_S)
