"""Mails that defeated the parser: each has a ticket with the original, and waits here for a look.

Their rows are ingest's; what operators decide is kept beside dead letters' decisions, and a row
leaves the quarantine only together with a decision.
"""

import getpass
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from deploy.local.errors import StackError
from services.ingest.store import ANNOUNCED, DROPPED, INBOUND, QUARANTINED, RECEIVED
from shared import mongo
from shared.blobs import Blobs

Decision = Literal["retried", "released", "dropped"]
_AFTER: dict[Decision, str] = {"retried": RECEIVED, "released": ANNOUNCED, "dropped": DROPPED}
_SHOWN = ("received_at", "mailbox", "envelope_from", "message_id", "size_bytes", "unreadable")


@dataclass(frozen=True)
class Quarantine:
    """What the commands work on."""

    client: mongo.Client

    async def entries(self, *, every: bool = False) -> list[dict[str, Any]]:
        """Mails that wait, the oldest first; with ``every`` those too that were decided upon."""
        decisions = {row["_id"]: row async for row in self._decisions.find()}
        wanted: mongo.Document = {"state": QUARANTINED}
        if every:
            wanted = {"$or": [wanted, {"_id": {"$in": list(decisions)}}]}
        rows = await self._rows.find(wanted, {"raw": 0}).sort("received_at", 1).to_list(None)
        messages = self._messages.find({"inbound_id": {"$in": [row["_id"] for row in rows]}})
        tickets = {m["inbound_id"]: m["ticket_id"] async for m in messages}
        return [
            {
                "id": row["_id"],
                **{name: row.get(name, "") for name in _SHOWN},
                "ticket": tickets.get(row["_id"]) or "",
                "state": row["state"],
                "retries": row.get("retries", 0),
                "decisions": decisions.get(row["_id"], {}).get("decisions", []),
            }
            for row in rows
        ]

    async def chosen(self, name: str) -> dict[str, Any]:
        """The entry whose id begins so, decided upon or not; raises StackError."""
        fitting = [one for one in await self.entries(every=True) if one["id"].startswith(name)]
        if len(fitting) == 1:
            return fitting[0]
        cause = f"{len(fitting) or 'No'} mails in quarantine have an id that begins with {name!r}."
        raise StackError(cause, remedy="'postdesk quarantine list --all' lists them.")

    async def original(self, entry: dict[str, Any]) -> bytes:
        """The mail as it came."""
        row = await self._rows.find_one({"_id": entry["id"]})
        if row is None:
            raise StackError(f"The mail {entry['id']} is gone.")
        if row.get("raw_blob"):
            return await Blobs(self.client).get(row["raw_blob"])
        return bytes(row["raw"])

    async def decide(
        self, entries: Sequence[dict[str, Any]], decision: Decision, why: str
    ) -> list[dict[str, Any]]:
        """Decide about those that wait; gives them. The same again finds nothing to decide.

        ``retried``: ingest reads it again, its ticket gets the words if they can be read now, else
        it is back here. ``released``: it stays as it is on its ticket. ``dropped``: the same, and
        nobody needs it.
        """
        done = []
        for entry in entries:
            change: mongo.Document = {"$set": {"state": _AFTER[decision]}}
            if decision == "retried":
                change["$set"] |= {"lease_until": datetime.now(UTC), "lease": "", "attempts": 0}
                change["$inc"] = {"retries": 1}
            # First the trace: a decision without effect can be made again, the other way round
            # a mail would have left without one.
            if entry["state"] != QUARANTINED:
                continue
            await self._note(entry, decision, why)
            result = await self._rows.update_one({"_id": entry["id"], "state": QUARANTINED}, change)
            if result.modified_count:
                done.append(entry)
        return done

    async def _note(self, entry: dict[str, Any], decision: Decision, why: str) -> None:
        note = {"action": decision, "at": datetime.now(UTC), "by": getpass.getuser(), "why": why}
        await self._decisions.update_one(
            {"_id": entry["id"]}, {"$push": {"decisions": note}}, upsert=True
        )

    @property
    def _rows(self) -> mongo.Collection:
        return mongo.database(self.client, "ingest")[INBOUND]

    @property
    def _messages(self) -> mongo.Collection:
        return mongo.database(self.client, "tickets")["messages"]

    @property
    def _decisions(self) -> mongo.Collection:
        return mongo.database(self.client, "operators")["quarantine"]
