"""What waits in ingest's collection, and for how long it may."""

from services.ingest.store import INBOUND, QUARANTINED, RECEIVED, WAITING, WITHHELD
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
    Stock(
        collection=INBOUND,
        state=WITHHELD,
        rows={"state": WITHHELD},
        since="$received_at",
        index="withheld",
        remedy="spam, or more than their senders may write: 'postdesk quarantine list' has why.",
    ),
)
