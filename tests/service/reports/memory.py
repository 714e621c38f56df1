"""reports' store in memory: what the real one promises, without a database."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.reports.domain.months import Month
from services.reports.domain.rows import TicketRow, WorkRow
from services.reports.projections import Projected


class MemoryStore:
    def __init__(self) -> None:
        self.rows: dict[str, TicketRow] = {}
        self.done: dict[str, WorkRow] = {}
        self.seen: dict[str, datetime] = {}
        self.outbox: dict[str, dict[str, Any]] = {}
        self.wishes: dict[str, dict[str, Any]] = {}

    async def change(
        self,
        ticket_ids: Collection[str],
        decide: Callable[[Mapping[str, TicketRow]], Sequence[Projected]],
    ) -> None:
        for one in decide({i: self.rows[i] for i in ticket_ids if i in self.rows}):
            self.rows[one.row.ticket_id] = one.row
            self.done |= {row.id: row for row in one.work}

    async def forget(self, ticket_ids: Collection[str]) -> None:
        self.rows = {i: row for i, row in self.rows.items() if i not in ticket_ids}
        self.done = {i: row for i, row in self.done.items() if row.ticket_id not in ticket_ids}

    async def tickets(self, start: datetime, end: datetime) -> list[TicketRow]:
        over = ("resolved", "closed")
        return [
            row
            for row in self.rows.values()
            if row.opened_at < end and (row.updated_at >= start or row.status not in over)
        ]

    async def work(self, start: datetime, end: datetime) -> list[WorkRow]:
        return [row for row in self.done.values() if start <= row.at < end]

    async def first_seen(self, key: str, now: datetime) -> datetime:
        return self.seen.setdefault(key, now)

    async def is_sent(self, request_id: str) -> bool:
        return request_id in self.outbox

    async def put_out(self, request_id: str, row: dict[str, Any], asked_id: str = "") -> bool:
        if request_id in self.outbox:
            return False
        self.outbox[request_id] = row
        if asked_id:
            self.wishes[asked_id]["done_at"] = row["queued_at"]
        return True

    async def ask(self, asked_id: str, month: Month, zone: str, to: str, now: datetime) -> None:
        wish = {"_id": asked_id, "month": str(month), "zone": zone, "to": to, "asked_at": now}
        self.wishes.setdefault(asked_id, {**wish, "done_at": None})

    async def asked(self) -> list[dict[str, Any]]:
        return [wish for wish in self.wishes.values() if wish["done_at"] is None]

    async def give_up(self, asked_id: str, reason: str, now: datetime) -> None:
        self.wishes[asked_id] |= {"done_at": now, "error": reason}

    async def sent(self) -> list[dict[str, Any]]:
        return list(self.outbox.values())


class MemoryBlobs:
    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def put_many(self, owner: str, contents: list[bytes]) -> list[str]:
        ids = [f"{owner}/{hashlib.sha256(data).hexdigest()}" for data in contents]
        self.kept |= dict(zip(ids, contents, strict=True))
        return ids
