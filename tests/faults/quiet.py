"""Says when a stack has nothing left to do: the same readings twice, all of them nought."""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.local.errors import StackError
from deploy.local.facts import StackFacts
from deploy.local.offsets import topic_states
from deploy.local.parts import SERVICES
from shared.contracts.topics import TOPICS

BETWEEN_S = 5.0
SOON = timedelta(seconds=20)
STUCK_S = 75.0  # longer than any pause of a retry in the run's configuration
UNPUBLISHED = {"published_at": None}
OUTBOXES = (
    *(("tickets", "outbox"), ("tickets", "announcements"), ("sla", "outbox")),
    *(("notify", "outbox"), ("reports", "outbox")),
)
UNSENT = {"state": {"$in": ["planned", "queued", "sending", "deferred"]}}
UNREAD = {"state": "received"}

Readings = Mapping[str, int]


def wait_until_quiet(
    facts: Callable[[], StackFacts],
    tend: Callable[[float], None],
    *,
    limit_s: float,
) -> list[str]:
    """Return what is left to do in the end: nothing, or what has not moved for long.

    Bounded by ``limit_s``; where nothing moves any more it ends sooner.
    """
    end = time.monotonic() + limit_s
    before: Readings | None = None
    moved_at = time.monotonic()
    while True:
        now = readings(facts())
        if now is not None and now == before and not any(now.values()):
            return []
        if now != before:
            moved_at = time.monotonic()
        if time.monotonic() > min(end, moved_at + STUCK_S):
            left = now if now is not None else {"the stack does not answer": 1}
            return [f"{count} left: {name}" for name, count in left.items() if count]
        before = now
        tend(BETWEEN_S)


def readings(facts: StackFacts) -> Readings | None:
    """What there is to do, by name; None where that cannot be known."""
    try:
        return {**_rows(facts.mongo), **lag(facts.kafka)}
    except (PyMongoError, StackError):
        return None


def _rows(mongo: str) -> Readings:
    with MongoClient[dict[str, Any]](mongo, timeoutMS=10_000) as client:
        counts = {
            f"{service}.{name}": client[f"postdesk_{service}"][name].count_documents(UNPUBLISHED)
            for service, name in OUTBOXES
        }
        counts["mails not read"] = client["postdesk_ingest"]["inbound"].count_documents(UNREAD)
        counts["mails not sent"] = client["postdesk_notify"]["outgoing"].count_documents(UNSENT)
        # What a clock tells while the books are being read would be in some of them only.
        soon = {"next_at": {"$lte": datetime.now(UTC) + SOON}}
        counts["clocks due soon"] = client["postdesk_sla"]["clocks"].count_documents(soon)
    return counts


def lag(kafka: str) -> Readings:
    """Records that a service has not read yet, by service and topic; raises StackError."""
    reads = {(topic.name, name) for topic in TOPICS for name in topic.readers if name in SERVICES}
    return {
        f"lag of {group} on {state.name}": lag
        for state in asyncio.run(topic_states(kafka))
        for group, lag in state.lag.items()
        if (state.name, group) in reads
    }
