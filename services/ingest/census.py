"""What waits in ingest's collection, and for how long it may."""

from services.ingest.store import INBOUND, QUARANTINED, RECEIVED, WAITING
from shared.census import Stock

STOCKS = (
    Stock(
        collection=INBOUND,
        state=RECEIVED,
        rows={"state": RECEIVED},
        since="$received_at",
        index=WAITING,
        limit_s=60.0,
        remedy="mails wait to be read: is ingest up, is Kafka up? 'postdesk status', then its log.",
    ),
    Stock(
        collection=INBOUND,
        state=QUARANTINED,
        rows={"state": QUARANTINED},
        since="$received_at",
        index="quarantine",
        remedy="each has a ticket with the original attached; 'postdesk quarantine list' has why.",
    ),
)
