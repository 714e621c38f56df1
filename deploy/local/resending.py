"""What stores say was put on Kafka and not handled by its reader: put out once more.

After a restore Kafka is empty, so whatever was on its way at the instant of the backup is gone
from it. All stores show that same instant, so each hop can be compared exactly: what the sender
has and the reader lacks is marked as not sent. Everything here may be done twice.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

import orjson

from deploy.local import reconciling
from services.ingest.store import RECEIVED
from services.notify.requests import row_id
from services.tickets import documents
from shared import mongo
from shared.bus.outbox import NEVER
from shared.contracts import topics

AT_ONCE = 500
KEPT = timedelta(days=30)
"""What is older would have left its topic too, and some marks of handled records are gone."""
RESULTS_KEPT = timedelta(days=1)
"""Results of commands are read by other systems, whose reading nobody knows: a day of them."""


async def resend(client: mongo.Client, taken_at: datetime) -> dict[str, int]:
    """Mark all that is missing on the way; give how much of each."""
    since = taken_at - KEPT
    sla, delivery = topics.SLA_EVENTS.name, topics.DELIVERY_EVENTS.name
    return {
        "mails": await _mails(client),
        "events": await _events(client),
        "clock news": await _handled_by_tickets(client, "sla", sla, since),
        "delivery news": await _handled_by_tickets(client, "notify", delivery, since),
        "mail requests": await _requests(client, since),
        "command results": await _results(client, taken_at),
    }


async def _mails(client: mongo.Client) -> int:
    """Have the mails read again that no conversation holds."""
    inbound = mongo.database(client, "ingest")["inbound"]
    found = await reconciling.filing(client)
    ids = [row["_id"] for row in found.unfiled if row["state"] != RECEIVED]
    fresh = {"lease_until": datetime.now(UTC), "lease": "", "attempts": 0}
    for some in _chunks(ids):
        await inbound.update_many(
            {"_id": {"$in": some}, "state": {"$ne": RECEIVED}},
            {"$set": {"state": RECEIVED, **fresh}, "$unset": {"announced_at": ""}},
        )
    return len(ids)


async def _events(client: mongo.Client) -> int:
    """Announce the events that notify, sla or reports do not know."""
    known: dict[str, int] = {}
    for reader in reconciling.READERS:
        async for ticket, seq, _ in reconciling.behind(client, reader):
            known[ticket] = min(seq, known.get(ticket, seq))
    database = mongo.database(client, "tickets")
    count = 0
    for ticket, seq in known.items():
        wanted = {"ticket_id": ticket, "seq": {"$gt": seq}}
        events = await database["events"].find(wanted).sort("seq", 1).to_list(None)
        for row in documents.announcements(events):
            # Before all that the ticket's later events have waiting: readers pass over old ones.
            again = {**row, "_id": f"again.{row['_id']}", "order": events[0]["order"]}
            await database["announcements"].replace_one({"_id": again["_id"]}, again, upsert=True)
        count += len(events)
    return count


async def _handled_by_tickets(
    client: mongo.Client, service: str, topic: str, since: datetime
) -> int:
    """Publish what tickets has neither marked as handled nor, of a sent mail, remembered."""
    outbox = mongo.database(client, service)["outbox"]
    tickets = mongo.database(client, "tickets")
    count = 0
    async for rows in _published(outbox, since):
        parts = [part["_id"] for row in rows for part in row["parts"] if _is_of_ticket(part)]
        marks = {f"{topic}:{name}": name for name in parts}
        known = tickets["handled"].find({"_id": {"$in": [*marks]}}, {"_id": 1})
        done = {marks[mark["_id"]] async for mark in known}
        mails = {name.removesuffix(".sent"): name for name in parts}
        sent = tickets["sent"].find({"_id": {"$in": [*mails]}}, {"_id": 1})
        done |= {mails[mail["_id"]] async for mail in sent}
        missing = set(parts) - done
        unread = [row for row in rows if any(part["_id"] in missing for part in row["parts"])]
        await _unpublish(outbox, [row["_id"] for row in unread])
        count += len(missing)
    return count


def _is_of_ticket(part: mongo.Document) -> bool:
    """What is about no ticket leaves no mark in tickets, and has no effect there."""
    return bool((part.get("record") or part)["ticket_id"])


async def _requests(client: mongo.Client, since: datetime) -> int:
    """Ask again for the mails that notify's ledger does not have."""
    ledger = mongo.database(client, "notify")["outgoing"]
    count = 0
    for service in ("tickets", "reports"):
        outbox = mongo.database(client, service)["outbox"]
        async for rows in _published(outbox, since):
            wanted = {_ledger_id(row): row["_id"] for row in rows if _is_request(row)}
            known = ledger.find({"_id": {"$in": [*wanted]}}, {"_id": 1})
            there = {wanted[row["_id"]] async for row in known}
            missing = [name for name in wanted.values() if name not in there]
            count += await _unpublish(outbox, missing)
    return count


async def _results(client: mongo.Client, taken_at: datetime) -> int:
    outbox = mongo.database(client, "tickets")["outbox"]
    recent = {"$gte": taken_at - RESULTS_KEPT, "$lt": NEVER}
    wanted = {"topic": topics.COMMAND_RESULTS.name, "published_at": recent}
    result = await outbox.update_many(wanted, {"$set": {"published_at": None}})
    return int(result.modified_count)


def _is_request(row: mongo.Document) -> bool:
    """Whether a row of tickets' or reports' outbox asks for a mail; those of reports all do."""
    return bool(row.get("topic", topics.MAIL_REQUESTS.name) == topics.MAIL_REQUESTS.name)


def _ledger_id(row: mongo.Document) -> str:
    """The id of the mail that a row asks for; reports keeps its record as text."""
    data = row["data"] if isinstance(row["data"], dict) else orjson.loads(row["data"])
    return row_id(data["type"], data["request_id"], data["to"])


async def _published(
    outbox: mongo.Collection, since: datetime
) -> AsyncIterator[Sequence[mongo.Document]]:
    """Rows of an outbox that were published, some at a time; not those set aside or dropped."""
    rows: list[mongo.Document] = []
    async for row in outbox.find({"published_at": {"$gte": since, "$lt": NEVER}}):
        rows.append(row)
        if len(rows) == AT_ONCE:
            yield rows
            rows = []
    if rows:
        yield rows


async def _unpublish(outbox: mongo.Collection, ids: Sequence[str]) -> int:
    if ids:
        await outbox.update_many({"_id": {"$in": list(ids)}}, {"$set": {"published_at": None}})
    return len(ids)


def _chunks(items: Sequence[str]) -> list[list[str]]:
    left = iter(items)
    return list(iter(lambda: list(islice(left, AT_ONCE)), []))
