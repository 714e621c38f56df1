"""What waits and since when, counted on a real MongoDB by the indexes that the services make."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.ingest import census as ingest
from services.ingest import store as ingest_store
from services.notify import app as notify_app
from services.notify import census as notify
from services.reports import census as reports
from services.reports import store as reports_store
from services.sla import census as sla
from services.sla import store as sla_store
from services.tickets import census as tickets
from services.tickets import mongo_store as tickets_store
from shared import census, metrics
from shared import mongo as database
from shared.bus.outbox import NEVER
from shared.clock import FrozenClock
from tests.builders import NOON

pytestmark = pytest.mark.stack

SERVICES = {
    "ingest": (ingest.STOCKS, ingest_store.INDEXES),
    "tickets": (tickets.STOCKS, tickets_store.INDEXES),
    "sla": (sla.STOCKS, sla_store.INDEXES),
    "notify": (notify.STOCKS, notify_app.INDEXES),
    "reports": (reports.STOCKS, reports_store.INDEXES),
}
EARLIER = NOON - timedelta(minutes=20)
LATER = NOON + timedelta(minutes=20)

WAITING = {
    "ingest": {
        ("inbound", "received"): {
            "state": "received", "received_at": EARLIER, "lease_until": NOON,
        },
        ("inbound", "quarantined"): {"state": "quarantined", "received_at": EARLIER},
    },
    "tickets": {
        ("announcements", "unpublished"): {
            "published_at": None, "order": round(EARLIER.timestamp() * 1e6), "place": 0,
        },
        ("outbox", "unpublished"): {"published_at": None, "at": EARLIER, "order": 1},
        ("outbox", "set-aside"): {"published_at": NEVER, "at": EARLIER, "unpublishable": "why"},
    },
    "sla": {("clocks", "due"): {"next_at": EARLIER}},
    "notify": {
        ("outgoing", "planned"): {"state": "planned", "not_before": EARLIER},
        ("outgoing", "queued"): {
            "state": "sending", "created_at": EARLIER, "next_try_at": LATER,
        },
        ("outgoing", "deferred"): {
            "state": "deferred", "created_at": EARLIER, "next_try_at": LATER,
        },
        ("outgoing", "failed"): {"state": "failed", "created_at": EARLIER},
        ("outbox", "unpublished"): {"published_at": None, "queued_at": EARLIER},
    },
    "reports": {("requests", "asked"): {"asked_at": EARLIER, "done_at": None}},
}  # fmt: skip

AT_REST: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "ingest": [("inbound", {"state": "announced", "received_at": EARLIER})],
    "tickets": [("outbox", {"published_at": EARLIER, "at": EARLIER, "order": 2})],
    "sla": [("clocks", {"next_at": LATER}), ("clocks", {"state": "met"})],
    "notify": [
        ("outgoing", {"state": "sent", "created_at": EARLIER}),
        ("outgoing", {"state": "planned", "not_before": LATER}),
    ],
    "reports": [("requests", {"asked_at": EARLIER, "done_at": NOON})],
}


@pytest.fixture
async def db(mongo: str) -> AsyncIterator[database.Database]:
    client = database.connect(mongo)
    made = client[f"census_{uuid4().hex}"]
    yield made
    await client.drop_database(made.name)
    client.close()


@pytest.mark.parametrize("service", SERVICES)
async def test_what_waits_is_counted_with_its_age_and_nothing_else_is(
    db: database.Database, service: str
) -> None:
    stocks, indexes = SERVICES[service]
    await database.ensure_indexes(db, indexes)
    for number, (collection, row) in enumerate(AT_REST[service]):
        await db[collection].insert_one({"_id": f"rest-{number}", **row})
    for (collection, state), row in WAITING[service].items():
        await db[collection].insert_one({"_id": state, **row})

    counts = [await census.count(db, stock, NOON) for stock in stocks]

    found = {(c.stock.collection, c.stock.state): c.age_s(NOON) for c in counts if c.rows}
    assert found == dict.fromkeys(WAITING[service], 1200.0)
    assert {c.rows for c in counts} <= {0, 1}


def counted(age: timedelta, limit_s: float | None) -> census.Count:
    stock = census.Stock("rows", "waiting", {}, "$at", "index", limit_s)
    oldest: datetime = NOON - age
    return census.Count(stock, 1, oldest)


def test_rows_are_stuck_from_their_limit_on_and_without_a_limit_never() -> None:
    assert not counted(timedelta(seconds=59), 60.0).is_stuck(NOON)
    assert counted(timedelta(seconds=60), 60.0).is_stuck(NOON)
    assert not counted(timedelta(days=9), None).is_stuck(NOON)
    assert not census.Count(counted(timedelta(0), 0.0).stock, 0, None).is_stuck(NOON)


async def test_a_service_exports_rows_age_and_limit(db: database.Database) -> None:
    await database.ensure_indexes(db, ingest_store.INDEXES)
    await db["inbound"].insert_one({"_id": "1", **WAITING["ingest"]["inbound", "received"]})

    await census.Census(db, ingest.STOCKS, FrozenClock(NOON)).count()

    text = metrics.exposition().decode()
    for name, value in (("rows", "1.0"), ("oldest_seconds", "1200.0"), ("limit_seconds", "60.0")):
        assert f'postdesk_state_{name}{{collection="inbound",state="received"}} {value}' in text
