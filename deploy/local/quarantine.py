"""Mails that wait for somebody to decide, with their tickets, for an operator at the keyboard.

What defeated the parser has a ticket with the original; what a filter in front calls spam has none.
"""

import getpass
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deploy.local.errors import StackError
from services.ingest import quarantine
from services.ingest.quarantine import Decision, NotOneMailError
from shared import mongo
from shared.blobs import Blobs


@dataclass(frozen=True)
class Quarantine:
    """What the commands work on."""

    client: mongo.Client

    async def entries(self, *, every: bool = False) -> list[dict[str, Any]]:
        """Mails that wait, the oldest first; with ``every`` those too that were decided upon."""
        return await self._with_tickets(await self._kept.entries(every=every))

    async def chosen(self, name: str) -> dict[str, Any]:
        """The entry whose id begins so, decided upon or not; raises StackError."""
        try:
            found = await self._kept.chosen(name)
        except NotOneMailError as error:
            remedy = "'postdesk quarantine list --all' lists them."
            raise StackError(str(error), remedy=remedy) from error
        [entry] = await self._with_tickets([found])
        return entry

    async def original(self, entry: dict[str, Any]) -> bytes:
        """The mail as it came."""
        row = await self._kept.row(entry)
        if row is None:
            raise StackError(f"The mail {entry['id']} is gone.")
        if row.get("raw_blob"):
            return await Blobs(self.client).get(row["raw_blob"])
        return bytes(row["raw"])

    async def decide(
        self, entries: Sequence[dict[str, Any]], decision: Decision, why: str
    ) -> list[dict[str, Any]]:
        """Decide about those that wait; gives them."""
        return await self._kept.decide(entries, decision, by=getpass.getuser(), why=why)

    @property
    def _kept(self) -> quarantine.Quarantine:
        return quarantine.Quarantine(self.client)

    async def _with_tickets(self, entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        messages = mongo.database(self.client, "tickets")["messages"]
        of_these = messages.find({"inbound_id": {"$in": [entry["id"] for entry in entries]}})
        tickets = {m["inbound_id"]: m["ticket_id"] async for m in of_these}
        return [{**entry, "ticket": tickets.get(entry["id"]) or ""} for entry in entries]
