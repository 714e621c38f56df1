"""Stand-ins for what ingest talks to, in memory; they fail when told to."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pymongo.errors import AutoReconnect, BulkWriteError

from services.ingest.children import Answers
from services.ingest.reading import Reading
from shared.bus import Outgoing, PublishError
from tests.builders import NOON, SUPPORT


class Rows:
    """A collection that only takes inserts, and remembers how they came in groups."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.groups: list[int] = []
        self.is_down = False
        self.began = asyncio.Event()
        self.may_finish = asyncio.Event()
        self.may_finish.set()

    async def insert_many(self, rows: Sequence[dict[str, Any]], *, ordered: bool) -> None:
        assert not ordered
        self.began.set()
        await self.may_finish.wait()
        if self.is_down:
            raise AutoReconnect("gone")
        self.groups.append(len(rows))
        errors = []
        for index, row in enumerate(rows):
            if row["_id"] in self.rows:
                errors.append({"index": index, "code": 11000})
            elif "refused" in row:
                errors.append({"index": index, "code": 121})
            else:
                self.rows[row["_id"]] = row
        if errors:
            raise BulkWriteError({"writeErrors": errors})


class Leases:
    """What `InboundRows` does, for rows in a dictionary."""

    def __init__(self) -> None:
        self.free: list[dict[str, Any]] = []
        self.states: dict[str, str] = {}
        self.released: list[str] = []

    def fresh_lease(self) -> dict[str, Any]:
        return {"lease": "me", "lease_until": NOON, "attempts": 1}

    def no_lease(self) -> dict[str, Any]:
        return {"lease": "", "lease_until": NOON, "attempts": 0}

    async def claim(self, limit: int, _held: Any) -> list[dict[str, Any]]:
        claimed, self.free = self.free[:limit], self.free[limit:]
        return claimed

    async def renew(self, ids: Sequence[str]) -> None:
        """Nothing runs out here."""

    async def release(self, ids: Sequence[str]) -> None:
        self.released += ids

    async def release_all(self) -> None:
        """Nobody was here before."""

    async def announced(self, ids: Sequence[str]) -> None:
        self.states.update(dict.fromkeys(ids, "announced"))

    async def quarantined(self, row_id: str, reason: str) -> None:
        self.states[row_id] = f"quarantined: {reason}"

    async def withheld(self, ids: Sequence[str], reason: str) -> None:
        self.states |= dict.fromkeys(ids, f"withheld: {reason}")


class Topic:
    """Records that were published."""

    def __init__(self) -> None:
        self.records: list[Outgoing] = []
        self.failures = 0
        self.publications = 0

    @property
    def ids(self) -> list[str]:
        return [one.meta.id for one in self.records]

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        if self.failures:
            self.failures -= 1
            raise PublishError("Kafka is away")
        self.publications += 1
        self.records += outgoing


class BlobsInMemory:
    """Blobs by id."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    async def put(self, owner: str, data: bytes) -> str:
        return (await self.put_all([(owner, data)]))[0]

    async def put_all(self, blobs: Sequence[tuple[str, bytes]]) -> list[str]:
        ids = [f"{owner}/{hash(data)}" for owner, data in blobs]
        self.contents.update({name: data for name, (_, data) in zip(ids, blobs, strict=True)})
        return ids

    async def get(self, name: str) -> bytes:
        return self.contents[name]


class Parsers:
    """Reads every mail but those with ``bomb`` in them, on which it dies."""

    def __init__(self) -> None:
        self.groups: list[list[bytes]] = []
        self.bombs_that_kill = 1_000
        self.failure = "ended by signal 9"
        self.headers_kill = False

    async def read(
        self, mails: Sequence[bytes], *, trusted: Sequence[str] = (), reason: str = ""
    ) -> Answers:
        assert trusted == ()
        self.groups.append(list(mails))
        answers = Answers()
        for raw in mails:
            if b"bomb" in raw and self._kills(reason):
                answers.failure = self.failure
                break
            if raw == b"odd":
                answers.readings.append(Reading({"subject": 5}))
                continue
            answers.readings.append(
                Reading({"subject": raw.decode(), "unreadable": reason}, ["html"], [b"<p>"])
            )
        return answers

    def _kills(self, reason: str) -> bool:
        if reason:
            return self.headers_kill
        self.bombs_that_kill -= 1
        return self.bombs_that_kill >= 0


class WithholdingIntake:
    """Withholds the mails that a test names, for its reasons."""

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}

    def believe(self, row: dict[str, Any], _reading: Reading) -> str:
        return self.reasons.get(row["_id"], "")


class NoLimits:
    """Nobody is limited but by the mails that a test names, for its reasons."""

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}

    async def excess(self, row: dict[str, Any], _reading: Reading) -> str:
        return self.reasons.get(row["_id"], "")


class Orders:
    """Notes whose mails it was given to obey."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def obey(self, mails: Sequence[Any]) -> None:
        self.seen += [mail.inbound_id for mail in mails]


class Senders:
    """Mails with ``doubt`` in them wait for a verdict, the others need none."""

    def __init__(self) -> None:
        self.may_finish = asyncio.Event()
        self.is_broken = False

    def settle(self, row: dict[str, Any], _reading: Reading) -> bool:
        return b"doubt" in row["raw"]

    async def verdict(self, *_: Any) -> dict[str, Any]:
        await self.may_finish.wait()
        if self.is_broken:
            raise RuntimeError
        return {"dmarc": "pass", "by": "desk", "domain": "example.com"}


def a_row(
    name: str, raw: bytes | None = None, *, attempts: int = 1, at: datetime = NOON
) -> dict[str, Any]:
    """A row of ``inbound`` that is leased to this process."""
    return {
        "_id": name, "mailbox": SUPPORT, "recipient": SUPPORT, "envelope_from": "ann@example.com",
        "client": "192.0.2.1", "received_at": at, "message_id": "m@x.example", "size_bytes": 1,
        "raw": name.encode() if raw is None else raw, "attempts": attempts, "lease": "me",
    }  # fmt: skip
