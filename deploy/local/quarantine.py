"""Mails that wait for somebody to decide: unread ones with their tickets, and withheld ones.

What defeated the parser has a ticket with the original; what a filter in front calls spam has none.
Their rows are ingest's; what operators decide is kept beside dead letters' decisions, and a row
leaves the quarantine only together with a decision.
"""

import getpass
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from deploy.local.errors import StackError
from services.ingest.store import ANNOUNCED, DROPPED, INBOUND, QUARANTINED, RECEIVED, WITHHELD
from shared import mongo
from shared.blobs import Blobs

Decision = Literal["retried", "released", "dropped"]
_AFTER: dict[tuple[str, Decision], str] = {
    (QUARANTINED, "retried"): RECEIVED,
    (QUARANTINED, "released"): ANNOUNCED,
    (QUARANTINED, "dropped"): DROPPED,
    (WITHHELD, "retried"): RECEIVED,
    (WITHHELD, "released"): RECEIVED,
    (WITHHELD, "dropped"): DROPPED,
}
_SHOWN = (
    *("received_at", "mailbox", "envelope_from", "message_id", "size_bytes", "unreadable"),
    "withheld",
)


@dataclass(frozen=True)
class Quarantine:
    """What the commands work on."""

    client: mongo.Client

    async def entries(self, *, every: bool = False) -> list[dict[str, Any]]:
        """Mails that wait, the oldest first; with ``every`` those too that were decided upon."""
        decisions = {row["_id"]: row async for row in self._decisions.find()}
        wanted: mongo.Document = {"state": {"$in": [QUARANTINED, WITHHELD]}}
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
        nobody needs it. A withheld mail is told to the desk when it is ``released``; ``retried`` it
        is judged again by the filter's settings as they are now.
        """
        done = []
        for entry in entries:
            if (entry["state"], decision) not in _AFTER:
                continue
            # First the trace: a decision without effect can be made again, the other way round
            # a mail would have left without one.
            await self._note(entry, decision, why)
            waiting = {"_id": entry["id"], "state": entry["state"]}
            result = await self._rows.update_one(waiting, _change(entry["state"], decision))
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


def _change(state: str, decision: Decision) -> mongo.Document:
    """What becomes of a row in that state."""
    after = _AFTER[state, decision]
    change: mongo.Document = {"$set": {"state": after}}
    if after == RECEIVED:
        change["$set"] |= {"lease_until": datetime.now(UTC), "lease": "", "attempts": 0}
    if state == QUARANTINED and decision == "retried":
        change["$inc"] = {"retries": 1}
    if state == WITHHELD and decision == "released":
        change["$set"]["let_through"] = True
    return change
