"""Compares what one service stored with what the next one made of it. Only reads.

Both sides are walked in the order of an index, so memory stays small whatever the desk has stored.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared import mongo

READERS = {"notify": "tickets", "sla": "cases", "reports": "tickets"}
"""Readers of ticket events, and where each keeps the ``seq`` of the tickets that it knows."""
DETAILS_AT_ONCE = 500
NOT_TOLD = ("withheld", "dropped")


@dataclass(frozen=True)
class Filing:
    """Mails that got their 250, and those of them that no conversation holds."""

    accepted: int
    unfiled: list[mongo.Document]
    withheld: int = 0
    """Mails that the desk is not told of, as the operators want it."""

    @property
    def filed(self) -> int:
        """Mails that are in a conversation, or beside one."""
        return self.accepted - len(self.unfiled) - self.withheld


async def filing(client: mongo.Client) -> Filing:
    """Find the mails that tickets has not filed, with state and times, the oldest first."""
    inbound = mongo.database(client, "ingest")["inbound"]
    messages = mongo.database(client, "tickets")["messages"]
    filed = messages.find({"inbound_id": {"$gt": ""}}, {"_id": 0, "inbound_id": 1})
    accepted = inbound.find({}, {"_id": 1}).sort("_id", 1)
    count, missing = 0, []
    right = _Walk(filed.sort("inbound_id", 1), "inbound_id")
    async for row in accepted:
        count += 1
        if not await right.has(row["_id"]):
            missing.append(row["_id"])
    rows: list[mongo.Document] = []
    shown = {"state": 1, "message_id": 1, "received_at": 1, "announced_at": 1}
    shown |= {"withheld": 1}
    for start in range(0, len(missing), DETAILS_AT_ONCE):
        some = {"_id": {"$in": missing[start : start + DETAILS_AT_ONCE]}}
        rows += await inbound.find(some, shown).to_list(None)
    withheld = [row for row in rows if row.get("withheld") and row["state"] in NOT_TOLD]
    unfiled = [row for row in rows if row not in withheld]
    return Filing(count, sorted(unfiled, key=lambda row: row["received_at"]), len(withheld))


async def behind(client: mongo.Client, reader: str) -> AsyncIterator[tuple[str, int, int]]:
    """Tickets that a reader of events does not know as they are: id, its seq, the true seq."""
    tickets = mongo.database(client, "tickets")["tickets"]
    views = mongo.database(client, reader)[READERS[reader]]
    right = _Walk(views.find({}, {"seq": 1}).sort("_id", 1), "_id")
    async for ticket in tickets.find({}, {"seq": 1}).sort("_id", 1):
        known = right.row["seq"] if await right.has(ticket["_id"]) else 0
        if known < ticket["seq"]:
            yield ticket["_id"], known, ticket["seq"]


def waits_since(row: Mapping[str, Any]) -> datetime:
    """When a mail that is not filed was put on the bus, or taken if it was not."""
    at: datetime = row.get("announced_at") or row["received_at"]
    return at


class _Walk:
    """One side of a merge: asked for ascending keys, says which exist."""

    def __init__(self, cursor: Any, key: str) -> None:
        self._cursor = cursor
        self._key = key
        self.row: mongo.Document = {}
        self._is_over = False

    async def has(self, key: str) -> bool:
        while not self._is_over and self.row.get(self._key, "") < key:
            try:
                self.row = await anext(self._cursor)
            except StopAsyncIteration:
                self._is_over = True
        return bool(self.row.get(self._key) == key)
