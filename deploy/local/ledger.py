"""The ledger of the whole desk: what came in, where it is now, and what is stuck.

What is stuck, with its limit: rows of the services' `STOCKS`; mail that was put on the bus and not
filed for `UNFILED_S`; records that a service has not read for `UNREAD_S`; every open dead letter.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from deploy.local import dead_letters, reconciling
from deploy.local.dead_letters import Letter
from deploy.local.errors import StackError
from deploy.local.offsets import TopicState, topic_states
from deploy.local.reading import reader, times_of
from services.ingest import census as ingest
from services.notify import census as notify
from services.notify.dead import ADDRESSES
from services.reports import census as reports
from services.sla import census as sla
from services.tickets import census as tickets
from shared import mongo
from shared.census import Count, Stock, count
from shared.contracts.topics import TOPICS

STOCKS: dict[str, Sequence[Stock]] = {
    "ingest": ingest.STOCKS,
    "tickets": tickets.STOCKS,
    "sla": sla.STOCKS,
    "notify": notify.STOCKS,
    "reports": reports.STOCKS,
}
UNFILED_S = 60.0
UNREAD_S = 60.0
NAMED = 5
"""So many of what is stuck are named."""


@dataclass(frozen=True)
class Stuck:
    """One line for the operator; ``names`` are some of what is meant."""

    what: str
    service: str
    rows: int
    since: datetime | None
    remedy: str
    names: list[str] = field(default_factory=list)


@dataclass
class Ledger:
    """Everything that `take` found; ``stuck`` is empty when all is well."""

    at: datetime
    mail: dict[str, int] = field(default_factory=dict)
    states: list[dict[str, Any]] = field(default_factory=list)
    outgoing: dict[str, int] = field(default_factory=dict)
    dead_addresses: int = 0
    delayed: list[dict[str, Any]] = field(default_factory=list)
    readers: list[dict[str, Any]] = field(default_factory=list)
    dead_letters: dict[str, int] = field(default_factory=dict)
    stuck: list[Stuck] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        """What ``--json`` shows."""
        return {**vars(self), "ok": not self.stuck, "stuck": [vars(one) for one in self.stuck]}


async def take(client: mongo.Client, kafka: str, now: datetime) -> Ledger:
    """Look at all stores and topics; Kafka may be away, MongoDB may not."""
    found = Ledger(now)
    await _look_at_states(client, found)
    await _look_at_mail(client, found)
    await _look_at_outgoing(client, found)
    try:
        await _look_at_topics(kafka, found)
        await _look_at_dead_letters(dead_letters.Place(kafka, client), found)
    except StackError as error:
        found.stuck.append(Stuck(error.cause, "kafka", 1, None, error.remedy))
    return found


async def _look_at_states(client: mongo.Client, found: Ledger) -> None:
    for service, stocks in STOCKS.items():
        database = mongo.database(client, service)
        existing = set(await database.list_collection_names())
        for stock in stocks:
            if stock.collection not in existing:
                continue  # the service has never been started
            counted = await count(database, stock, found.at)
            found.states.append(_state(service, counted, found.at))
            # What is set aside is told with the dead letters, one by one.
            if counted.is_stuck(found.at) and stock.state != "set-aside":
                found.stuck.append(_stuck(service, counted))


def _state(service: str, counted: Count, now: datetime) -> dict[str, Any]:
    stock = counted.stock
    return {
        "service": service,
        "collection": stock.collection,
        "state": stock.state,
        "rows": counted.rows,
        "oldest_at": counted.oldest_at,
        "age_s": round(counted.age_s(now), 1),
        "limit_s": stock.limit_s,
        "stuck": counted.is_stuck(now),
    }


def _stuck(service: str, counted: Count) -> Stuck:
    stock = counted.stock
    what = f"{stock.collection} {stock.state}"
    return Stuck(what, service, counted.rows, counted.oldest_at, stock.remedy)


async def _look_at_mail(client: mongo.Client, found: Ledger) -> None:
    filing = await reconciling.filing(client)
    states = {s["state"]: s["rows"] for s in found.states if s["service"] == "ingest"}
    found.mail = {
        "accepted": filing.accepted,
        **states,
        "filed": filing.filed,
        "unfiled": len(filing.unfiled),
    }
    late = found.at - timedelta(seconds=UNFILED_S)
    announced = [row for row in filing.unfiled if row["state"] != "received"]
    lost = [row for row in announced if reconciling.waits_since(row) <= late]
    if lost:
        since = min(map(reconciling.waits_since, lost))
        remedy = "is it a dead letter of mail-received? 'postdesk dlq list', 'postdesk trace ID'."
        names = [row["_id"] for row in lost[:NAMED]]
        found.stuck.append(
            Stuck("mail announced but not filed", "tickets", len(lost), since, remedy, names)
        )


async def _look_at_outgoing(client: mongo.Client, found: Ledger) -> None:
    rows = mongo.database(client, "notify")["outgoing"]
    waiting = {
        s["state"]: s["rows"]
        for s in found.states
        if (s["service"], s["collection"]) == ("notify", "outgoing")
    }
    # Not the planned ones that are due alone, as in the states.
    waiting["planned"] = await rows.count_documents(
        {"state": "planned", "not_before": {"$type": "date"}}
    )
    total = await rows.estimated_document_count()
    found.outgoing = {**waiting, "done": max(0, total - sum(waiting.values())), "all": total}
    found.dead_addresses = await mongo.database(client, "notify")[ADDRESSES].count_documents({})
    delayed = {"state": "deferred", "next_try_at": {"$exists": True}}
    shown = {"recipient": 1, "created_at": 1, "next_try_at": 1, "detail": 1, "refusals": 1}
    late = rows.find(delayed, shown).sort("created_at", 1).limit(NAMED)
    found.delayed = [{"id": row.pop("_id"), **row} async for row in late]


async def _look_at_topics(kafka: str, found: Ledger) -> None:
    states = await topic_states(kafka)
    own = {topic.name: set(topic.readers) - {"systems"} for topic in TOPICS}
    lagging = [
        (state, group)
        for state in states
        for group in sorted(own.get(state.name, set()))
        if state.lag.get(group)
    ]
    if not lagging:
        return
    async with reader(kafka) as at:
        for state, group in lagging:
            firsts = {(state.name, p): o for p, o in state.unread[group].items()}
            times = await times_of(at, firsts)
            found.readers.append(_lag(state, group, min(times.values(), default=None)))
    for one in found.readers:
        if one["since"] and (found.at - one["since"]).total_seconds() >= UNREAD_S:
            found.stuck.append(_unread(one))


def _lag(state: TopicState, group: str, since: datetime | None) -> dict[str, Any]:
    return {"topic": state.name, "service": group, "unread": state.lag[group], "since": since}


def _unread(one: dict[str, Any]) -> Stuck:
    remedy = f"is {one['service']} up, and does its /readyz name a trouble? 'postdesk status'."
    what = f"records of {one['topic']} not read"
    return Stuck(what, one["service"], one["unread"], one["since"], remedy)


async def _look_at_dead_letters(place: dead_letters.Place, found: Ledger) -> None:
    every = await dead_letters.letters(place)
    names = ("open", "replayed", "dropped")
    found.dead_letters = {name: sum(one.status == name for one in every) for name in names}
    found.stuck += _open_letters(one for one in every if one.status == "open")


def _open_letters(letters: Iterable[Letter]) -> list[Stuck]:
    by_origin: dict[tuple[str, str], list[Letter]] = {}
    for one in letters:
        by_origin.setdefault((one.origin.partition("/")[0], one.service), []).append(one)
    return [
        Stuck(
            what=f"dead letters of {origin}",
            service=service,
            rows=len(some),
            since=some[0].at,
            remedy=f"'postdesk dlq show {some[0].id}' has the reason; then replay or drop it.",
            names=[one.id for one in some[:NAMED]],
        )
        for (origin, service), some in by_origin.items()
    ]
