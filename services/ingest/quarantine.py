"""Mails that wait for somebody to decide: unread ones, and those that are withheld.

A row leaves the quarantine only together with a decision, which is kept with who, when and why.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from services.ingest.store import ANNOUNCED, DROPPED, INBOUND, QUARANTINED, RECEIVED, WITHHELD
from shared import mongo

Decision = Literal["retried", "released", "dropped"]
WAITING_STATES = [QUARANTINED, WITHHELD]
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


class NotOneMailError(LookupError):
    """Not exactly one mail in quarantine has an id that begins so."""

    def __init__(self, name: str, count: int) -> None:
        super().__init__(f"{count or 'No'} mails in quarantine have an id that begins with {name}.")


class Quarantine:
    """What the commands work on, in whatever way they come."""

    def __init__(self, client: mongo.Client) -> None:
        self._rows = mongo.database(client, "ingest")[INBOUND]
        self._decisions = mongo.database(client, "operators")["quarantine"]

    async def entries(self, *, every: bool = False) -> list[dict[str, Any]]:
        """Mails that wait, the oldest first; with ``every`` those too that were decided upon."""
        found = await self._found()
        decisions = {row["_id"]: row["decisions"] async for row in self._decisions.find()}
        if every:
            others = [*decisions.keys() - {row["_id"] for row in found}]
            found += await self._rows.find({"_id": {"$in": others}}, {"raw": 0}).to_list(None)
        found.sort(key=lambda row: row["received_at"])
        return [_entry(row, decisions.get(row["_id"], [])) for row in found]

    async def chosen(self, name: str) -> dict[str, Any]:
        """The entry whose id begins so, decided upon or not; raises `NotOneMailError`."""
        fitting = [one for one in await self.entries(every=True) if one["id"].startswith(name)]
        if len(fitting) != 1:
            raise NotOneMailError(name, len(fitting))
        return fitting[0]

    async def row(self, entry: dict[str, Any]) -> mongo.Document | None:
        """The mail's row with its bytes or the name of its blob; None where it is gone."""
        return await self._rows.find_one({"_id": entry["id"]})

    async def decide(
        self,
        entries: Sequence[dict[str, Any]],
        decision: Decision,
        *,
        by: str,
        why: str,
        order: str = "",
    ) -> list[dict[str, Any]]:
        """Decide about those that wait; gives them. The same again finds nothing to decide.

        ``retried``: ingest reads it again, its ticket gets the words if they can be read now, else
        it is back here. ``released``: it stays as it is on its ticket. ``dropped``: the same, and
        nobody needs it. A withheld mail is told to the desk when it is ``released``; ``retried`` it
        is judged again by the settings as they are now. What this ``order`` did at an
        earlier try counts as done by it.
        """
        done = []
        for entry in entries:
            earlier = [one for one in entry["decisions"] if order and one.get("order") == order]
            came_back = any(one["retries"] < entry["retries"] for one in earlier)
            if (entry["state"], decision) not in _AFTER or came_back:
                done += [entry] if earlier else []
                continue
            # First the trace: a decision without effect can be made again, the other way round
            # a mail would have left without one.
            note = {"action": decision, "at": datetime.now(UTC), "by": by, "why": why}
            if order:
                note |= {"order": order, "retries": entry["retries"]}
            if not earlier:
                await self._note(entry["id"], note)
            waiting = {"_id": entry["id"], "state": entry["state"]}
            result = await self._rows.update_one(waiting, _change(entry["state"], decision))
            if result.modified_count:
                done.append(entry)
        return done

    async def untold(self) -> list[dict[str, Any]]:
        """Mails that wait and that no admin has been told of, the oldest first."""
        wanted = {"untold": True, "state": {"$in": WAITING_STATES}}
        found = self._rows.find(wanted, {"raw": 0}).sort("received_at", 1)
        return [_entry(row, []) async for row in found]

    async def note_told(self, entries: Sequence[dict[str, Any]]) -> None:
        """Remember that admins were told."""
        ids = [entry["id"] for entry in entries]
        await self._rows.update_many({"_id": {"$in": ids}}, {"$unset": {"untold": ""}})

    async def _found(self) -> list[mongo.Document]:
        """Rows that wait; state by state, as each has an index of its own."""
        found: list[mongo.Document] = []
        for state in WAITING_STATES:
            rows = self._rows.find({"state": state}, {"raw": 0})
            found += await rows.sort("received_at", 1).to_list(None)
        return found

    async def _note(self, name: str, note: mongo.Document) -> None:
        await self._decisions.update_one({"_id": name}, {"$push": {"decisions": note}}, upsert=True)


def _entry(row: mongo.Document, decisions: list[mongo.Document]) -> dict[str, Any]:
    return {
        "id": row["_id"],
        **{name: row.get(name, "") for name in _SHOWN},
        "state": row["state"],
        "retries": row.get("retries", 0),
        "decisions": decisions,
    }


def _change(state: str, decision: Decision) -> mongo.Document:
    """What becomes of a row in that state."""
    after = _AFTER[state, decision]
    change: mongo.Document = {"$set": {"state": after}, "$unset": {"untold": ""}}
    if after == RECEIVED:
        change["$set"] |= {"lease_until": datetime.now(UTC), "lease": "", "attempts": 0}
    if state == QUARANTINED and decision == "retried":
        change["$inc"] = {"retries": 1}
    if state == WITHHELD and decision == "released":
        change["$set"]["let_through"] = True
    return change
