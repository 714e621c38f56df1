"""How tickets, events, messages and drafts lie in MongoDB, and how rows become records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from services.tickets.domain.built import built
from services.tickets.domain.facts import Absence
from services.tickets.domain.ticket import Ticket
from services.tickets.mail_commands.drafts import Draft
from shared.bus import Outgoing
from shared.contracts import topics
from shared.contracts.base import Attachment, Meta, Record
from shared.contracts.ticket import SenderAdmitted, SenderBarred, SenderLimited, TicketEvent
from shared.contracts.ticket_state import AskedQuestion, Message, Survey, TicketState
from shared.contracts.topics import Topic
from shared.mongo import Document

VERSION = 1
SOURCE = "postdesk/tickets"
EVENT_MESSAGE_BYTES = 54 * 1024
"""JSON of a message inside an event, so that the record stays under 64 KiB; the collection
``messages`` has all of it."""
ANNOUNCED_AT_ONCE = 100
RECORD = "record"
"""Where rows that have just been written carry their record along, so that nobody reads it anew."""
JSON_BYTES_PER_CHAR = 6  # a control character as \u001f
_SHRINKABLE = (("text", 1000), ("references", 10), ("cc", 0), ("to", 1), ("reply_text", 0))

_TOPICS = {topic.name: topic for topic in topics.TOPICS}


@dataclass(frozen=True, slots=True)
class Cause:
    """The record that led to what is stored, and the mail or command that began it."""

    id: str
    correlation_id: str

    @classmethod
    def of(cls, meta: Meta) -> "Cause":
        """The record with this meta as the cause."""
        return cls(meta.id, meta.correlation_id or meta.id)


def ticket_document(ticket: Ticket, order: int) -> Document:
    """The ticket as it is stored; ``order`` is that of its last event in the outbox."""
    return {
        "_id": ticket.id,
        "v": VERSION,
        "seq": ticket.seq,
        "order": order,
        "state": ticket.state.model_dump(),
        "participants": sorted(ticket.participants),
        "cycle": ticket.cycle,
        "drafts": ticket.drafts,
        "last_wrote": [[author, seq] for author, seq in ticket.last_wrote.items()],
        "reply_times": list(ticket.reply_times),
        "resolved_by": [[cycle, agent] for cycle, agent in ticket.resolved_by.items()],
        "is_survey_asked": ticket.is_survey_asked,
        "ratings": [[cycle, rating.model_dump()] for cycle, rating in ticket.ratings.items()],
        "clocks_seq": ticket.clocks_seq,
        "breached": [[clock, due_at] for clock, due_at in ticket.breached.items()],
        "escalated_by": sorted(ticket.escalated_by),
        "asked": [question.model_dump() for question in ticket.asked],
        "taken_out": sorted(ticket.taken_out),
        "lock_idle_s": ticket.lock_idle_s,
    }


def ticket_of(document: Mapping[str, Any]) -> Ticket:
    """The ticket of a stored document; a field that an older release did not write is empty."""
    return Ticket(
        state=TicketState.model_validate(document["state"]),
        participants=frozenset(document["participants"]),
        cycle=document["cycle"],
        drafts=document["drafts"],
        last_wrote=dict(document["last_wrote"]),
        reply_times=tuple(document["reply_times"]),
        resolved_by=dict(document["resolved_by"]),
        is_survey_asked=document["is_survey_asked"],
        ratings={c: Survey.model_validate(rating) for c, rating in document["ratings"]},
        clocks_seq=document["clocks_seq"],
        breached=dict(pair for pair in document["breached"] if not isinstance(pair, str)),
        escalated_by=frozenset(document.get("escalated_by", ())),
        asked=tuple(AskedQuestion.model_validate(one) for one in document.get("asked", ())),
        taken_out=frozenset(document.get("taken_out", ())),
        lock_idle_s=document.get("lock_idle_s", 0),
    )


def event_row(event: TicketEvent, cause: Cause, order: int) -> Document:
    """The event as the timeline keeps it: its id is the same on every try.

    It must be `fitted`.
    """
    return {
        "_id": f"{event.ticket_id}.{event.seq}",
        "v": VERSION,
        "ticket_id": event.ticket_id,
        "seq": event.seq,
        "type": event.type,
        "at": event.at,
        "by": event.by,
        "order": order,
        "data": event.model_dump(),
        "correlation_id": cause.correlation_id,
        "causation_id": cause.id,
    }


def announcements(events: Sequence[Document]) -> list[Document]:
    """Rows that name the events of one batch which are to be published, in their order.

    One mark for many events: a mark on each would cost as much as storing it.
    """
    last = max((event["order"] for event in events), default=0)
    groups = [
        events[at : at + ANNOUNCED_AT_ONCE] for at in range(0, len(events), ANNOUNCED_AT_ONCE)
    ]
    return [
        {
            "_id": group[0]["_id"],
            "v": VERSION,
            "order": last,
            "place": place,
            "events": [event["_id"] for event in group],
            "published_at": None,
        }
        for place, group in enumerate(groups)
    ]


def message_document(message: Message, ticket_id: str | None, name: str) -> Document:
    """An entry of a conversation, whole; ``name`` is its id."""
    return {"_id": name, "v": VERSION, "ticket_id": ticket_id, **message.model_dump()}


def outbox_row(
    record: Record, *, topic: Topic, key: str, name: str, cause: Cause, at: datetime, order: int
) -> Document:
    """A record for another topic; ``name`` is its id."""
    return {
        "_id": name,
        "v": VERSION,
        "topic": topic.name,
        "key": key,
        "type": record.type,
        "at": at,
        "order": order,
        "data": record.model_dump(),
        "correlation_id": cause.correlation_id,
        "causation_id": cause.id,
        "published_at": None,
    }


def event_outgoing(row: Document) -> Outgoing:
    """The record of an event's row."""
    ticket_id = row["ticket_id"]
    return Outgoing(topics.TICKET_EVENTS, ticket_id, _record_of(row), _meta(row, ticket_id))


def outbox_outgoing(row: Document) -> Outgoing:
    """The record of an outbox row."""
    meta = _meta(row, row["data"].get("ticket_id") or "")
    return Outgoing(_TOPICS[row["topic"]], row["key"], _record_of(row), meta)


def event_of(row: Document) -> TicketEvent:
    """The event of a row."""
    event = _record_of(row)
    if not isinstance(event, TicketEvent):
        raise TypeError(f"{row['_id']} is no ticket event")
    return event


def absence_document(absence: Absence) -> Document:
    """What an agent last said of being away, as it is stored."""
    return {
        "_id": absence.agent,
        "v": VERSION,
        "since": absence.since,
        "until": absence.until,
        "said_at": absence.said_at,
        "stand_in": absence.stand_in,
        "said_in": absence.said_in,
    }


def absence_of(document: Document) -> Absence:
    """The absence of a stored document."""
    return Absence(
        agent=document["_id"],
        since=document["since"],
        until=document["until"],
        said_at=document["said_at"],
        stand_in=document["stand_in"],
        said_in=document["said_in"],
    )


def bar_document(event: SenderBarred | SenderLimited | SenderAdmitted) -> Document:
    """What was last decided about a sender, as it is stored."""
    return {
        "_id": event.sender,
        "v": VERSION,
        "barred": isinstance(event, SenderBarred),
        "limited": isinstance(event, SenderLimited),
        "per_hour": getattr(event, "per_hour", 0),
        "per_day": getattr(event, "per_day", 0),
        "by": event.by,
        "at": event.at,
        "ticket_id": event.ticket_id,
    }


def draft_document(draft: Draft) -> Document:
    """A draft as it is stored."""
    return {
        "_id": draft.id,
        "v": VERSION,
        "ticket_id": draft.ticket_id,
        "agent": draft.agent,
        "number": draft.number,
        "kind": draft.kind,
        "block": list(draft.block),
        "text": draft.text,
        "seen": draft.seen,
        "until": draft.until,
        "codes": list(draft.codes),
        "attachments": [file.model_dump() for file in draft.attachments],
        "state": draft.state,
    }


def draft_of(document: Document) -> Draft:
    """The draft of a stored document."""
    return Draft(
        ticket_id=document["ticket_id"],
        agent=document["agent"],
        number=document["number"],
        kind=document["kind"],
        block=tuple(document["block"]),
        text=document["text"],
        seen=document["seen"],
        until=document["until"],
        codes=tuple(document["codes"]),
        attachments=[Attachment.model_validate(file) for file in document["attachments"]],
        state=document["state"],
    )


def _record_of(row: Document) -> Any:
    """The record of a row; rows that this process wrote just now may still have it with them."""
    return row.get(RECORD) or topics.RECORDS[row["type"]].model_validate(row["data"])


def _meta(row: Document, subject: str) -> Meta:
    return built(
        Meta,
        id=row["_id"],
        source=SOURCE,
        time=row["at"],
        subject=subject,
        correlation_id=row["correlation_id"],
        causation_id=row["causation_id"],
    )


def fitted(event: TicketEvent) -> TicketEvent:
    """Cut what is longest of a message until the event fits a record, the quoted history first."""
    message: Message | None = getattr(event, "message", None)
    if message is None or _chars(message) < EVENT_MESSAGE_BYTES // JSON_BYTES_PER_CHAR:
        return event
    cut = message.model_dump()
    for name, least in _SHRINKABLE:
        while len(cut[name]) > least and len(orjson.dumps(cut)) > EVENT_MESSAGE_BYTES:
            cut[name] = cut[name][: max(len(cut[name]) * 3 // 4, least)]
    return event.model_copy(update={"message": Message.model_validate(cut)})


def _chars(message: Message) -> int:
    lists = sum(len(one) for some in (message.to, message.cc, message.references) for one in some)
    return len(message.text) + len(message.reply_text) + lists
