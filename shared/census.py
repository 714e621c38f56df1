"""Counts what waits in a service's collections, and since when.

Each service says in its `census.py` which rows should not stay where they are, and for how long
they may. Its process exports that as metrics, ``postdesk ledger`` reads the same. Nothing here
knows of leases, queues or Kafka: whatever is wrong there, what is stuck shows.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared import metrics
from shared.clock import Clock
from shared.mongo import Database, Document, Index

OUTBOX_LIMIT_S = 60.0
"""A relay looks twice a second; a minute is a broker's restart and not yet trouble."""
CENSUS_PAUSE_S = 15.0
BUSY_SHARE = 10  # pause after a count, in lengths of that count


@dataclass(frozen=True)
class Stock:
    """Rows of a collection that wait in one state.

    ``index`` names the index that holds no or few other rows: the count must stay cheap whatever
    the collection has grown to. ``since`` is an aggregation expression for when a row's wait
    began. Only rows whose time ``due`` has come are counted, if that field is named. Rows that
    have waited for ``limit_s`` seconds are stuck; without a limit they may stay. ``remedy`` says
    what an operator does then.
    """

    collection: str
    state: str
    rows: Mapping[str, Any]
    since: Any
    index: str
    limit_s: float | None = None
    due: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Count:
    """How many rows there are now; ``oldest_at`` is None where there are none."""

    stock: Stock
    rows: int
    oldest_at: datetime | None

    def age_s(self, now: datetime) -> float:
        """Seconds that the oldest row has waited for."""
        return max(0.0, (now - self.oldest_at).total_seconds()) if self.oldest_at else 0.0

    def is_stuck(self, now: datetime) -> bool:
        """Whether a row has waited for too long."""
        limit_s = self.stock.limit_s
        return bool(self.rows) and limit_s is not None and self.age_s(now) >= limit_s


def outbox_stocks(collection: str, since: Any) -> tuple[Stock, Stock]:
    """Describe what waits in an outbox, and what its relay has set aside."""
    return (
        Stock(
            collection=collection,
            state="unpublished",
            rows={"published_at": None},
            since=since,
            index="outbox",
            limit_s=OUTBOX_LIMIT_S,
            remedy="Kafka or the service is away: see 'postdesk status' and the service's /readyz.",
        ),
        Stock(
            collection=collection,
            state="set-aside",
            rows={"unpublishable": {"$exists": True}},
            since=since,
            index="set_aside",
            limit_s=0.0,
            remedy="the record breaks its topic's contract: 'postdesk dlq list' has the reason.",
        ),
    )


def set_aside_index(collection: str) -> Index:
    """Describe the index of what an outbox's relay has set aside; other rows cost nothing."""
    only = {"unpublishable": {"$exists": True}}
    return Index(collection, [("unpublishable", 1)], partial=only, options={"name": "set_aside"})


async def count(database: Database, stock: Stock, now: datetime) -> Count:
    """Count the rows of a stock and find its oldest."""
    wanted: Document = dict(stock.rows)
    if stock.due:
        wanted[stock.due] = {"$lte": now}
    group = {"_id": None, "rows": {"$sum": 1}, "oldest_at": {"$min": stock.since}}
    found = database[stock.collection].aggregate(
        [{"$match": wanted}, {"$group": group}], hint=stock.index
    )
    for one in await found.to_list(1):
        return Count(stock, one["rows"], one["oldest_at"])
    return Count(stock, 0, None)


class Census:
    """Exports the counts; `count` is work for a `Background`."""

    def __init__(self, database: Database, stocks: Sequence[Stock], clock: Clock) -> None:
        self._database = database
        self._stocks = stocks
        self._clock = clock

    async def count(self) -> None:
        """Count everything once; where that is slow as much waits, pause for longer."""
        started = time.monotonic()
        for stock in self._stocks:
            now = self._clock.now()
            counted = await count(self._database, stock, now)
            names = stock.collection, stock.state
            metrics.STATE_ROWS.labels(*names).set(counted.rows)
            metrics.STATE_AGE.labels(*names).set(counted.age_s(now))
            if stock.limit_s is not None:
                metrics.STATE_LIMIT.labels(*names).set(stock.limit_s)
        await asyncio.sleep(BUSY_SHARE * (time.monotonic() - started))
