"""Stores what became of mails: rows and the records that tell tickets, many at a time."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from services.notify.dead import DeadAddresses
from services.notify.delivery import Delivery, outbox_row, with_text
from services.notify.outgoing import Ledger, Row
from shared import metrics
from shared.blobs import Blobs
from shared.clock import Clock
from shared.company import Company
from shared.mongo import Client, Collection, Session, transaction

AT_ONCE = 200
PAUSE_S = 1.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Stores:
    """What sending reads and writes."""

    client: Client
    ledger: Ledger
    outbox: Collection
    blobs: Blobs
    dead: DeadAddresses


class Marker:
    """Collects results while it stores earlier ones; none is forgotten while MongoDB is away.

    While mails go out in groups, a result waits for others to be stored with it (``company``).
    """

    def __init__(
        self,
        stores: Stores,
        owner: str,
        *,
        clock: Clock,
        on_stored: Callable[[Sequence[Delivery]], None],
        company: Company,
    ) -> None:
        self._stores = stores
        self._owner = owner
        self._clock = clock
        self._on_stored = on_stored
        self._company = company
        self._results: list[Delivery] = []
        self._added = asyncio.Event()

    def add(self, delivery: Delivery) -> None:
        """Have it stored soon."""
        self._results.append(delivery)
        self._added.set()

    async def run(self) -> None:
        """Store results for ever."""
        while True:
            await self._added.wait()
            await self._company.gather(self._waiting)
            self._added.clear()
            while self._results:
                await self._store_some()

    async def _waiting(self) -> int:
        return len(self._results)

    async def _store_some(self) -> None:
        batch = self._results[:AT_ONCE]
        try:
            with metrics.stage("mark"):
                await self._store(batch)
        except Exception:  # noqa: BLE001 - no result may be forgotten
            _log.exception("results not stored yet")
            await asyncio.sleep(PAUSE_S)
            return
        del self._results[: len(batch)]
        self._on_stored(batch)

    async def _store(self, batch: Sequence[Delivery]) -> None:
        """Store states and records together; what is stored twice is told twice, as the same."""
        deliveries = await self._with_texts(batch)
        row = outbox_row(deliveries, self._clock.now())

        async def work(session: Session) -> None:
            await self._stores.ledger.mark(self._owner, [d.row for d in deliveries], session)
            if row["parts"]:
                await self._stores.outbox.insert_one(row, session=session)

        await transaction(self._stores.client, work)

    async def _with_texts(self, batch: Sequence[Delivery]) -> list[Delivery]:
        """Keep each text as sent, so that tickets can take quotes of it out of answers."""
        told = [d for d in batch if d.row.state == "sent" and d.row.text and not _is_own(d.row)]
        texts = [(d.row.ticket_id or d.row.id, d.row.text.encode()) for d in told]
        ids = await self._stores.blobs.put_all(texts) if texts else []
        blobs = {d.row.id: blob for d, blob in zip(told, ids, strict=True)}
        return [with_text(d, blobs[d.row.id]) if d.row.id in blobs else d for d in batch]


def _is_own(row: Row) -> bool:
    """Whether its words are only a template's: nothing that a quote of them could hide."""
    return row.kind == "acknowledgement"
