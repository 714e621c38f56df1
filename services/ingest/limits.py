"""Senders who may write only so much: what is over their limit waits in quarantine.

Counted in MongoDB by the clock hour and the day (UTC) in which SMTP took a mail, so that all
processes agree, and a mail that is read again counts once.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from services.ingest.intake import is_answer
from services.ingest.reading import Reading
from services.ingest.recipients import resolve
from shared.addresses import AddressBook
from shared.config.models import Desk
from shared.mongo import Collection, Document, Index
from shared.senders import TOLD_SENDERS, Limit, names_of

COUNTS = "limit_counts"
KEPT_S = 7 * 86_400
INDEXES = (Index(COUNTS, [("at", 1)], expire_after_s=KEPT_S),)
TOLD_INDEXES = (Index(TOLD_SENDERS, [("limited", 1)], partial={"limited": True}),)


class SenderLimits:
    """Knows the limits; asks MongoDB about the mails of those senders only who have one."""

    def __init__(
        self, desk: Callable[[], Desk], told: Collection, counts: Collection, book: AddressBook
    ) -> None:
        """``told`` has what leads and systems decided about senders."""
        self._desk = desk
        self._told = told
        self._counts = counts
        self._book = book
        self._by_mail: Mapping[str, Limit] = {}

    async def look(self) -> None:
        """Learn what was decided since the last look."""
        found = self._told.find({"limited": True})
        self._by_mail = {
            row["_id"]: Limit(row["_id"], row["per_hour"], row["per_day"]) async for row in found
        }

    async def excess(self, row: Document, reading: Reading) -> str:
        """Why a mail is more than its sender may write; empty for all others.

        A mail that has passed passes again, and so does one that an operator let through. Answers
        to addresses that only somebody knows whom we wrote to are not counted.
        """
        limit = self._limit_of(reading.fields)
        if limit is None or row.get("let_through") or is_answer(row, self._book):
            return ""
        if await self._is_within(limit, row):
            return ""
        return f"limit of {limit.who}: {limit.said}"

    def _limit_of(self, fields: Mapping[str, Any]) -> Limit | None:
        """The nearest limit of who wrote; None for those who work here."""
        desk = self._desk()
        of_file = desk.customers.limits_by_sender
        if not of_file and not self._by_mail:
            return None
        writer = str(fields.get("reply_to" if fields.get("form") else "from_addr", "")).lower()
        if writer in desk.agents_by_address or resolve(desk, writer) is not None:
            return None
        known = (of_file.get(name) or self._by_mail.get(name) for name in names_of(writer))
        return next(filter(None, known), None)

    async def _is_within(self, limit: Limit, row: Document) -> bool:
        """Whether there is room for the mail, which is taken, or was taken for it earlier."""
        at: datetime = row["received_at"]
        name = {"_id": f"{limit.who} {at:%Y-%m-%d}"}
        hour = f"hours.{at:%H}"
        free: Document = {**name, "mails": {"$ne": row["_id"]}}
        # What is not there yet is not too much either.
        if limit.per_hour:
            free[hour] = {"$not": {"$gte": limit.per_hour}}
        if limit.per_day:
            free["total"] = {"$not": {"$gte": limit.per_day}}
        take = {"$inc": {hour: 1, "total": 1}, "$push": {"mails": row["_id"]}}
        itself = {"mails": {"$elemMatch": {"$eq": row["_id"]}}}
        while not (await self._counts.update_one(free, take)).modified_count:
            day = await self._counts.find_one(name, itself)
            if day is not None:
                return "mails" in day
            await self._counts.update_one(name, {"$setOnInsert": {"at": at}}, upsert=True)
        return True
