"""Counts the rows of each state, and those that have been in theirs for too long.

It knows nothing of leases, queues or Kafka: whatever is wrong there, a mail that is stuck shows.
"""

from datetime import timedelta

from services.ingest import measures
from services.ingest.store import QUARANTINED, RECEIVED
from shared.clock import Clock
from shared.mongo import Collection

OVERDUE_S = 30.0  # until the record is on the bus


class Census:
    """Looks at all of ``inbound``."""

    def __init__(self, collection: Collection, clock: Clock) -> None:
        self._rows = collection
        self._clock = clock

    async def count(self) -> None:
        """Count once."""
        now = self._clock.now()
        late = {"state": RECEIVED, "received_at": {"$lte": now - timedelta(seconds=OVERDUE_S)}}
        for state in (RECEIVED, QUARANTINED):
            measures.ROWS.labels(state).set(await self._rows.count_documents({"state": state}))
        measures.OVERDUE.labels(RECEIVED).set(await self._rows.count_documents(late))
        oldest = await self._rows.find_one(
            {"state": RECEIVED}, {"received_at": 1}, sort=[("received_at", 1)]
        )
        age_s = (now - oldest["received_at"]).total_seconds() if oldest else 0.0
        measures.OLDEST.labels(RECEIVED).set(age_s)
