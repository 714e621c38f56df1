"""What waits in sla's collections, and for how long it may."""

from shared.census import Stock, outbox_stocks

STOCKS = (
    Stock(
        collection="clocks",
        state="due",
        rows={"next_at": {"$exists": True}},
        since="$next_at",
        due="next_at",
        index="next_at_1",
        limit_s=60.0,
        remedy="clocks that ran out are not told: is sla up? 'postdesk status', then its log.",
    ),
    *outbox_stocks("outbox", "$queued_at"),
)
