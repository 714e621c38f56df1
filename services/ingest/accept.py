"""From a mail at the end of DATA to its rows in ``inbound`` and the reply; nothing is parsed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from services.ingest import identity, measures, replies
from services.ingest.door import Delivery
from services.ingest.recipients import one_each
from services.ingest.spool import NotStoredError, Spool
from shared.clock import Clock
from shared.mongo import Document, MongoError

INLINE_BYTES = 12 * 1024 * 1024  # below MongoDB's 16 MiB for a document
STORE_S = 8.0
MAX_RECEIVED = 100  # RFC 5321, 6.3
LINE_OCTETS = 1_000  # with CRLF (RFC 5322, 2.1.1); longer ones are taken all the same
BIG_BYTES = 2 * 1024 * 1024

PutBlob = Callable[[str, bytes], Awaitable[str]]


class Reader(Protocol):
    """Who reads the mails afterwards, if it is in this process."""

    def lease(self, rows: int) -> Document:
        """Give the fields that lease so many new rows to the reader, or leave them free."""
        ...

    def hand_over(self, rows: list[Document]) -> None:
        """Tell the reader of rows that are stored."""
        ...


_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Looked:
    raw: bytes
    found: identity.Scan
    is_normalised: bool
    has_long_line: bool


class Acceptance:
    """Stores a delivery, once for each mailbox, and hands it to the reader."""

    def __init__(
        self,
        spool: Spool,
        put_blob: PutBlob,
        clock: Clock,
        reader: Reader,
        *,
        limit_s: float = STORE_S,
    ) -> None:
        self._spool = spool
        self._put_blob = put_blob
        self._clock = clock
        self._reader = reader
        self._limit_s = limit_s

    async def store(self, delivery: Delivery) -> Sequence[str]:
        """Answer for each recipient: 250 once the rows are on a majority's journals, else 451."""
        looked = await _look_aside(delivery.body.read())
        if looked.found.received_count > MAX_RECEIVED:
            return [replies.LOOP] * len(delivery.recipients)
        rows = self._rows(delivery, looked)
        try:
            async with asyncio.timeout(self._limit_s):
                new = await self._put_rows(rows, looked.raw)
        except (NotStoredError, MongoError, TimeoutError) as error:
            _log.warning("not stored", inbound_id=rows[0]["_id"], error=type(error).__name__)
            return [replies.NOT_NOW] * len(delivery.recipients)
        _count(looked)
        self._reader.hand_over(new)
        ids = {row["mailbox"]: row["_id"] for row in rows}
        return [replies.queued(ids[recipient.mailbox]) for recipient in delivery.recipients]

    async def _put_rows(self, rows: list[Document], raw: bytes) -> list[Document]:
        if len(raw) > INLINE_BYTES:
            for row in rows:  # first the blob: the row is the commit point
                row["raw_blob"] = await self._put_blob(row["_id"], raw)
                row["raw"] = b""
        return await self._spool.store(rows, sum(len(row["raw"]) for row in rows))

    def _rows(self, delivery: Delivery, looked: _Looked) -> list[Document]:
        now = self._clock.now()
        recipients = one_each(delivery.recipients)
        lease = self._reader.lease(len(recipients))
        return [
            {
                "_id": identity.inbound_id(recipient.mailbox, looked.found, now),
                "state": "received",
                "mailbox": recipient.mailbox,
                "recipient": recipient.address,
                "envelope_from": delivery.sender,
                "client": delivery.client,
                "helo": delivery.helo,
                "is_encrypted": delivery.is_encrypted,
                "received_at": now,
                "message_id": looked.found.message_id,
                "size_bytes": len(looked.raw),
                "is_normalised": looked.is_normalised,
                "raw": looked.raw,
                **lease,
            }
            for recipient in recipients
        ]


async def _look_aside(raw: bytes) -> _Looked:
    """Look in a thread where it would hold up the other sessions: hashing lets them run."""
    if len(raw) > BIG_BYTES:
        return await asyncio.to_thread(_look, raw)
    return _look(raw)


def _look(raw: bytes) -> _Looked:
    raw, is_normalised = identity.with_crlf(raw)
    return _Looked(raw, identity.scan(raw), is_normalised, _has_long_line(raw))


def _has_long_line(raw: bytes) -> bool:
    start = 0
    while start + LINE_OCTETS < len(raw):
        end = raw.rfind(b"\n", start, start + LINE_OCTETS)
        if end < 0:
            return True
        start = end + 1
    return False


def _count(looked: _Looked) -> None:
    measures.ACCEPTED.inc()
    if looked.has_long_line:
        measures.LONG_LINES.inc()
    if looked.is_normalised:
        measures.BARE_NEWLINES.inc()
