"""What waits in reports' collections, and for how long it may."""

from shared.census import Stock, outbox_stocks

STOCKS = (
    Stock(
        collection="requests",
        state="asked",
        rows={"done_at": None},
        since="$asked_at",
        index="asked_at_1",
        limit_s=600.0,
        remedy="reports that were asked for are not made: is reports up? See its log.",
    ),
    *outbox_stocks("outbox", "$queued_at"),
)
