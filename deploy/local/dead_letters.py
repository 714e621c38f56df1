"""Dead letters: what was given up, why, and what operators have decided about each.

Two things end here: records on the ``-dlq`` topics, and rows of outboxes that no topic may carry.
A topic cannot be changed, so decisions are kept in a database of their own.
"""

import getpass
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

from deploy.local.errors import StackError
from deploy.local.reading import reader, records_of, written_at
from deploy.local.reconciling import READERS
from deploy.local.writing import Encoded, publish
from shared import mongo
from shared.contracts import topics

OUTBOXES = (
    ("tickets", "announcements"),
    ("tickets", "outbox"),
    ("sla", "outbox"),
    ("notify", "outbox"),
    ("reports", "outbox"),
)
ID_CHARS = 12
REPLAY_OF = "replay_of"
"""Header of a record that was put back: the id of its dead letter."""

_ORIGINS = {topic.dead_letter_name: topic.name for topic in topics.TOPICS if topic.dead_letters}

Status = Literal["open", "replayed", "dropped"]


@dataclass(frozen=True)
class Letter:
    """Something given up. ``origin`` says where it came from, ``source`` where it lies.

    ``raw`` is the record, or None for a row; of a row that groups records, ``parts`` names those
    that cannot be published. ``decisions`` have action, at, by and why, in their
    order. ``key`` and ``content`` may be personal data.
    """

    id: str
    source: str
    origin: str
    service: str
    reason: str
    at: datetime | None = None
    error: str = ""
    tries: int = 1
    type: str = ""
    record_id: str = ""
    correlation_id: str = ""
    key: str = ""
    content: str = ""
    replay_of: str = ""
    parts: tuple[str, ...] = ()
    status: Status = "open"
    decisions: tuple[dict[str, Any], ...] = ()
    raw: Any = field(default=None, repr=False)

    def shown(self, *, whole: bool = False) -> dict[str, Any]:
        """What ``--json`` shows; ``whole`` with what may be personal."""
        hidden = {"raw"} if whole else {"raw", "key", "content"}
        return {name: value for name, value in vars(self).items() if name not in hidden}


@dataclass(frozen=True)
class Place:
    """Where dead letters are kept."""

    kafka: str
    client: mongo.Client

    @property
    def decisions(self) -> mongo.Collection:
        """What operators decided, by id of the letter."""
        return mongo.database(self.client, "operators")["dead_letters"]


async def letters(place: Place) -> list[Letter]:
    """All of them, the oldest first; a record that was buried twice is one letter.

    Raises:
        StackError: Kafka does not answer.
    """
    found: dict[str, Letter] = {}
    async with reader(place.kafka) as kafka:
        async for record in records_of(kafka, _ORIGINS):
            letter = _of_record(record)
            found.setdefault(letter.id, letter)
    waiting = {letter.id: letter for letter in await _set_aside(place.client)}
    async for row in place.decisions.find():
        known = waiting.get(row["_id"]) or found.get(row["_id"]) or _of_decision(row)
        decisions = tuple(row["decisions"])
        status: Status = "open" if row["_id"] in waiting else decisions[-1]["action"]
        found[row["_id"]] = replace(known, decisions=decisions, status=status)
    every = {**waiting, **found}.values()
    return sorted(every, key=lambda letter: letter.at or datetime.min.replace(tzinfo=UTC))


def chosen(of: Iterable[Letter], name: str) -> Letter:
    """The letter whose id begins so.

    Raises:
        StackError: none or several do.
    """
    fitting = [letter for letter in of if letter.id.startswith(name)]
    if len(fitting) == 1:
        return fitting[0]
    cause = f"{len(fitting) or 'No'} dead letters have an id that begins with {name!r}."
    raise StackError(cause, remedy="'postdesk dlq list --all' lists them.")


async def replay(place: Place, wanted: Sequence[Letter], why: str) -> list[Letter]:
    """Put letters back where they came from, but those that were already; give what was done.

    Safe to repeat after it broke off: a record keeps its id, and readers know what they handled.
    """
    done = [letter for letter in wanted if letter.status != "replayed"]
    await publish(place.kafka, [_original(letter) for letter in done if letter.raw is not None])
    for letter in done:
        if letter.raw is None:
            await _settle_row(place.client, letter, {"published_at": None})
        await _decide(place, letter, "replayed", why)
    return done


async def drop(place: Place, wanted: Sequence[Letter], why: str) -> list[Letter]:
    """Note that open letters will not be replayed; give those. Records stay on their topic."""
    done = [letter for letter in wanted if letter.status == "open"]
    for letter in done:
        if letter.raw is None:
            await _settle_row(place.client, letter, {"dropped": letter.reason})
        await _decide(place, letter, "dropped", why)
    return done


async def why_in_vain(client: mongo.Client, letter: Letter) -> str:
    """Say why a replay changes nothing, or nothing where it does.

    Readers of ticket events pass over one that is older than what they know of the ticket.
    """
    ticket, _, seq = letter.record_id.rpartition(".")
    is_event = letter.origin.partition("/")[0] == topics.TICKET_EVENTS.name
    if not is_event or letter.service not in READERS or not seq.isdigit():
        return ""
    views = mongo.database(client, letter.service)[READERS[letter.service]]
    view = await views.find_one({"_id": ticket}, {"seq": 1})
    if view is None or view["seq"] < int(seq):
        return ""
    remedy = "" if letter.service == "notify" else f": 'postdesk rebuild {letter.service}' mends it"
    return f"{letter.service} knows a later event of {ticket} and passes over this one{remedy}"


async def _decide(place: Place, letter: Letter, action: Status, why: str) -> None:
    decision = {"action": action, "at": datetime.now(UTC), "by": getpass.getuser(), "why": why}
    same = ("source", "origin", "service", "reason", "at", "type", "record_id", "correlation_id")
    about = {name: getattr(letter, name) for name in same}
    await place.decisions.update_one(
        {"_id": letter.id}, {"$set": about, "$push": {"decisions": decision}}, upsert=True
    )


def _original(letter: Letter) -> Encoded:
    raw = letter.raw
    headers = [(n, v) for n, v in raw.headers if not n.startswith("dlq_") and n != REPLAY_OF]
    headers.append((REPLAY_OF, letter.id.encode()))
    return _ORIGINS[raw.topic], raw.key or b"", raw.value, headers


def _of_record(record: Any) -> Letter:
    headers = {name: (value or b"").decode("utf-8", "replace") for name, value in record.headers}
    names = ("dlq_service", "dlq_partition", "dlq_offset", "dlq_timestamp", "ce_id")
    parts = [record.topic, *(headers.get(name, "") for name in names)]
    place = f"{headers.get('dlq_partition', '?')}/{headers.get('dlq_offset', '?')}"
    return Letter(
        id=_id(parts),
        source=f"{record.topic}/{record.partition}/{record.offset}",
        origin=f"{headers.get('dlq_topic', _ORIGINS[record.topic])}/{place}",
        service=headers.get("dlq_service", ""),
        reason=headers.get("dlq_reason", ""),
        at=written_at(record),
        error=headers.get("dlq_error_class", ""),
        tries=int(headers.get("dlq_tries") or 1),
        type=headers.get("ce_type", ""),
        record_id=headers.get("ce_id", ""),
        correlation_id=headers.get("ce_correlationid", ""),
        key=(record.key or b"").decode("utf-8", "replace"),
        content=(record.value or b"").decode("utf-8", "replace"),
        replay_of=headers.get(REPLAY_OF, ""),
        raw=record,
    )


async def _set_aside(client: mongo.Client) -> list[Letter]:
    """Rows that relays could not publish."""
    found: list[Letter] = []
    for service, collection in OUTBOXES:
        rows = mongo.database(client, service)[collection]
        waiting = rows.find({"unpublishable": {"$exists": True}})
        found += [_of_row(service, collection, row) async for row in waiting]
    return found


def _of_row(service: str, collection: str, row: mongo.Document) -> Letter:
    place = f"{service}.{collection}"
    data = row.get("data") or row.get("events") or row.get("parts") or {}
    return Letter(
        id=_id([place, str(row["_id"])]),
        source=f"{place}/{row['_id']}",
        origin=place,
        service=service,
        reason="; ".join(f"{bad['part']}: {bad['reason']}" for bad in row["unpublishable"]),
        at=row.get("at") or row.get("queued_at"),
        type=row.get("type") or (data.get("type", "") if isinstance(data, dict) else ""),
        record_id=str(row["_id"]),
        correlation_id=row.get("correlation_id", ""),
        key=str(row.get("key") or row.get("to") or ""),
        content=data if isinstance(data, str) else json.dumps(data, default=str),
        parts=tuple(bad["part"] for bad in row["unpublishable"]),
    )


def _of_decision(row: mongo.Document) -> Letter:
    """A row that was settled, as it was then."""
    given = {name: row[name] for name in Letter.__dataclass_fields__ if name in row}
    return Letter(**{**given, "id": row["_id"]})


async def _settle_row(client: mongo.Client, letter: Letter, marks: mongo.Document) -> None:
    place, _, name = letter.source.partition("/")
    service, _, collection = place.partition(".")
    await mongo.database(client, service)[collection].update_one(
        {"_id": name, "unpublishable": {"$exists": True}},
        {"$set": marks, "$unset": {"unpublishable": ""}},
    )


def _id(parts: Iterable[str]) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()[:ID_CHARS]
