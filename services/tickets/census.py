"""What waits in tickets' outboxes, and for how long it may."""

from shared.census import outbox_stocks

_QUEUED_AT = {"$toDate": {"$floor": {"$divide": ["$order", 1000]}}}
"""``order`` counts microseconds since 1970."""

STOCKS = (*outbox_stocks("announcements", _QUEUED_AT), *outbox_stocks("outbox", "$at"))
