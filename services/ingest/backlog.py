"""Whether too many mails wait to be read; looked at in the background, never for each mail."""

from collections.abc import Callable
from datetime import datetime

import structlog

from services.ingest.store import RECEIVED, WAITING
from shared.clock import Clock
from shared.config.door import Door as Limits
from shared.health import Check, Health
from shared.mongo import Collection, Document, MongoError

RECOVERED = 0.9  # of the limit: not to change its mind with every look

_log = structlog.get_logger(__name__)


def pipeline(most: int) -> list[Document]:
    """Count at most so many, from the index alone: mails are long."""
    return [
        {"$match": {"state": RECEIVED}},
        {"$limit": most},
        {"$group": {"_id": None, "rows": {"$sum": 1}, "since": {"$min": "$received_at"}}},
    ]


class Backlog:
    """What waits in ``inbound`` whoever is to read it, as last seen.

    Kafka may be away for days without a mail being refused, so only a great number counts, and
    age only where the desk says so.
    """

    def __init__(
        self, rows: Collection, limits: Callable[[], Limits], clock: Clock, health: Health
    ) -> None:
        self._rows = rows
        self._limits = limits
        self._clock = clock
        self._health = health
        self.is_too_long = False

    async def look(self) -> None:
        """Count, as far as it matters; a database that does not answer changes nothing."""
        counted = pipeline(self._limits().max_waiting + 1)
        try:
            found = await self._rows.aggregate(counted, hint=WAITING).to_list(1)
        except MongoError:
            return
        if found:
            self._judge(found[0]["rows"], found[0]["since"])
        else:
            self._judge(0, self._clock.now())

    def _judge(self, rows: int, since: datetime) -> None:
        limits, was_too_long = self._limits(), self.is_too_long
        share = RECOVERED if was_too_long else 1.0
        age_s = (self._clock.now() - since).total_seconds()
        is_old = 0 < limits.max_waiting_age * share < age_s
        self.is_too_long = rows > limits.max_waiting * share or is_old
        detail = f"{rows} mails wait to be read, the oldest for {age_s:.0f} s"
        # Not needed: the door must still be there to say so to senders.
        self._health.set("backlog", Check(is_ok=not self.is_too_long, detail=detail, needed=False))
        if self.is_too_long != was_too_long:
            (_log.warning if self.is_too_long else _log.info)(
                "too many mails wait, new ones are refused for now"
                if self.is_too_long
                else "mails are taken again",
                rows=rows,
                oldest_s=round(age_s),
            )
