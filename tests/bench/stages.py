"""Where the milliseconds go, from the times that every service writes down for itself."""

import statistics
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pymongo import MongoClient

from tests.bench.rows import Row, plain

STAGES = (
    "accepted to announced (ingest)",
    "announced to decided (Kafka, tickets)",
    "decided to published (tickets)",
    "decided to written (Kafka, notify)",
    "written to sent (notify, SMTP)",
)


def stages(client: MongoClient[dict[str, Any]], *, idle_runs: str = "idle.") -> Iterator[Row]:
    """Medians over all acknowledged mails, those on the idle desk apart from those under load."""
    times: dict[str, list[list[float]]] = {"idle": [], "under load": []}
    announcements = client["postdesk_tickets"]["announcements"].find()
    published = {name: row["published_at"] for row in announcements for name in row["events"]}
    for row in client["postdesk_notify"]["outgoing"].find(
        {"kind": "acknowledgement", "state": "sent"}
    ):
        event = client["postdesk_tickets"]["events"].find_one({"_id": row["event_id"]})
        inbound = event and client["postdesk_ingest"]["inbound"].find_one(
            {"_id": event["correlation_id"]}, {"raw": 0}
        )
        if not event or not inbound:
            continue
        marks = [
            (inbound["received_at"], inbound["announced_at"]),
            (inbound["announced_at"], event["at"]),
            (event["at"], published[row["event_id"]]),
            (event["at"], row["created_at"]),
            (row["created_at"], row["settled_at"]),
        ]
        when = "idle" if row["recipient"].startswith(idle_runs) else "under load"
        times[when].append([_ms(*pair) for pair in marks])
    for when, lines in times.items():
        for name, column in zip(STAGES, zip(*lines, strict=True), strict=False):
            yield plain(f"{when}: {name}", statistics.median(column), "ms")


def _ms(begin: datetime, end: datetime) -> float:
    return 1000 * (end - begin).total_seconds()
