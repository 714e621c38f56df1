"""What waits in the ledger of outgoing mail and in the outbox, and for how long it may."""

from shared.census import Stock, outbox_stocks
from shared.mongo import Index

FAILED = {"state": "failed"}
BOUNCED = {"state": "bounced"}
INDEXES = (
    Index("outgoing", [("created_at", 1)], partial=FAILED, options={"name": "failed"}),
    Index("outgoing", [("settled_at", 1)], partial=BOUNCED),
)

_OPEN = {"next_try_at": {"$exists": True}}

STOCKS = (
    Stock(
        collection="outgoing",
        state="planned",
        rows={"state": "planned"},
        since="$not_before",
        due="not_before",
        index="not_before_1",
        limit_s=300.0,
        remedy="notices that are due are not written: see the log of notify.",
    ),
    Stock(
        collection="outgoing",
        state="queued",
        rows={**_OPEN, "state": {"$in": ["queued", "sending"]}},
        since="$created_at",
        index="next_try_at_1",
        limit_s=900.0,
        remedy="mail does not leave: does the relay answer? The /readyz of notify quotes it.",
    ),
    Stock(
        collection="outgoing",
        state="deferred",
        rows={**_OPEN, "state": "deferred"},
        since="$created_at",
        index="next_try_at_1",
        limit_s=4 * 3600.0,
        remedy="the relay refuses these for now and is asked again for 5 days: "
        "'postdesk ledger --json' has its answers.",
    ),
    Stock(
        collection="outgoing",
        state="failed",
        rows=FAILED,
        since="$created_at",
        index="failed",
        remedy="given up; each shows on its ticket.",
    ),
    Stock(
        collection="outgoing",
        state="bounced",
        rows=BOUNCED,
        since="$created_at",
        index="settled_at_1",
        remedy="sent, and came back; each shows on its ticket.",
    ),
    *outbox_stocks("outbox", "$queued_at"),
)
