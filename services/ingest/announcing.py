"""Tells the desk of mails that were read: contents stored, records on the bus, rows marked."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from services.ingest import measures, records
from services.ingest.reading import Reading
from services.ingest.tools import Tools
from services.ingest.waiting import Waiting
from shared.bus import Outgoing
from shared.metrics import stage
from shared.mongo import Document


class Announcer:
    """Announces mails in groups; the same group again changes nothing for those who read."""

    def __init__(self, tools: Tools, waiting: Waiting) -> None:
        self._tools = tools
        self._until_done = waiting.until_done

    async def announce(self, read: Sequence[tuple[Document, Reading]]) -> None:
        """Return when the rows are marked: announced, in quarantine, or withheld."""
        withheld = {row["_id"]: await self._why_withheld(row, reading) for row, reading in read}
        told = [(row, reading) for row, reading in read if not withheld[row["_id"]]]
        with stage("store-blobs"):
            outgoing = await self._until_done(lambda: self._to_records(told))
        with stage("announce"):
            await self._until_done(lambda: self._tools.bus.publish(outgoing))
        mails: list[Any] = [one.record for one in outgoing]
        await self._until_done(lambda: self._tools.orders.obey(mails))
        with stage("mark"):
            await self._until_done(lambda: self._mark(outgoing))
            for reason in {*withheld.values()} - {""}:
                ids = [name for name, why in withheld.items() if why == reason]
                await self._until_done(partial(self._tools.rows.withheld, ids, reason))

    async def _why_withheld(self, row: Document, reading: Reading) -> str:
        reason = self._tools.intake.believe(row, reading)
        return reason or await self._until_done(partial(self._tools.limits.excess, row, reading))

    async def _to_records(self, read: Sequence[tuple[Document, Reading]]) -> list[Outgoing]:
        """Store all contents in one write, then name them in the records."""
        contents = []
        for row, reading in read:
            contents += [(row["_id"], content) for content in reading.contents]
            if reading.wants_raw and not row.get("raw_blob"):
                contents.append((row["_id"], row["raw"]))
        names = iter(await self._tools.blobs.put_all(contents) if contents else [])
        outgoing = []
        for row, reading in read:
            blobs = [next(names) for _ in reading.contents]
            raw_blob = row.get("raw_blob") or (next(names) if reading.wants_raw else None)
            outgoing.append(self._record(row, reading, blobs, raw_blob))
        return outgoing

    def _record(
        self, row: Document, reading: Reading, blobs: list[str], raw_blob: str | None
    ) -> Outgoing:
        try:
            return records.announcement(row, reading, blobs, raw_blob, self._tools.book)
        except ValueError as error:
            # A subverted child may say anything; its mail is announced all the same.
            stub = records.bare(row, f"no valid reading: {type(error).__name__}")
            return records.announcement(row, stub, [], raw_blob, self._tools.book)

    async def _mark(self, outgoing: Sequence[Outgoing]) -> None:
        readable = []
        for one in outgoing:
            record: Any = one.record
            if record.unreadable:
                await self._tools.rows.quarantined(record.inbound_id, record.unreadable)
            else:
                readable.append(record.inbound_id)
            measures.PARSED.labels("unreadable" if record.unreadable else "read").inc()
        if readable:
            await self._tools.rows.announced(readable)
