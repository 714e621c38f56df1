"""Cases and clocks as MongoDB documents, both ways; and the records that leave, as outbox rows."""

from collections.abc import Iterable
from datetime import datetime

from services.sla.domain.case import Case
from services.sla.domain.clock import TicketClock, Told, ran_out_name
from services.sla.domain.policy import Traits
from shared.bus import Outgoing
from shared.contracts.base import Event, Meta
from shared.contracts.sla import (
    ClockRanOut,
    ClocksChanged,
    ClockStepReached,
    ClockWarned,
    DelayEnded,
)
from shared.contracts.topics import RECORDS, SLA_EVENTS
from shared.mongo import Document

VERSION = 1
SOURCE = "postdesk/sla"


def case_document(case: Case, configuration: str) -> Document:
    """The ticket without its clocks, which are documents of their own.

    ``fitted_to`` is the configuration that its clocks follow.
    """
    return {
        "_id": case.ticket_id,
        "v": VERSION,
        "seq": case.seq,
        **vars(case.traits),
        "waiting_since": case.waiting_since,
        "delayed_until": case.delayed_until,
        "is_open": case.is_open,
        "fitted_to": configuration,
    }


def case_of(document: Document, clocks: Iterable[Document]) -> Case:
    """The ticket with its clocks, in the order they were started."""
    return Case(
        ticket_id=document["_id"],
        seq=document["seq"],
        traits=Traits(**{name: document.get(name, "") for name in Traits.__dataclass_fields__}),
        waiting_since=document["waiting_since"],
        delayed_until=document.get("delayed_until"),
        clocks=tuple(map(clock_of, sorted(clocks, key=lambda one: one["number"]))),
    )


def clock_document(clock: TicketClock, number: int) -> Document:
    """The clock; ``next_at``, when there is something to tell, is only there if it is known."""
    document: Document = {
        "_id": clock.id,
        "v": VERSION,
        "number": number,
        "ticket_id": clock.ticket_id,
        "target": clock.target,
        "cycle": clock.cycle,
        "goal_s": clock.goal_s,
        "policy": clock.policy,
        "amber": clock.amber,
        "stretches": [list(stretch) for stretch in clock.stretches],
        "state": clock.state,
        "due_at": clock.due_at,
        "warn_at": clock.warn_at,
        "ended_at": clock.ended_at,
        "warned": clock.warned,
        "ran_out": clock.ran_out,
        "rule": clock.rule,
        "calendar": clock.calendar,
        "timezone": clock.timezone,
        "said": clock.said,
        "amber_left_s": clock.amber_left_s,
        "steps": [list(step) for step in clock.steps],
        "stepped": list(clock.stepped),
        "again": clock.again,
    }
    if clock.next_at is not None:
        document["next_at"] = clock.next_at
    return document


def clock_of(document: Document) -> TicketClock:
    """The clock of a document; what an older release did not write is empty until a refit."""
    return TicketClock(
        ticket_id=document["ticket_id"],
        target=document["target"],
        cycle=document["cycle"],
        goal_s=document["goal_s"],
        policy=document["policy"],
        amber=document["amber"],
        stretches=tuple((start, end) for start, end in document["stretches"]),
        state=document["state"],
        due_at=document["due_at"],
        warn_at=document["warn_at"],
        ended_at=document["ended_at"],
        warned=document["warned"],
        ran_out=document["ran_out"],
        rule=document.get("rule", ""),
        calendar=document.get("calendar", ""),
        timezone=document.get("timezone", ""),
        said=document.get("said", ""),
        amber_left_s=document.get("amber_left_s", 0),
        steps=tuple((name, at) for name, at in document.get("steps", ())),
        stepped=tuple(document.get("stepped", ())),
        again=document.get("again", 0),
    )


DELAY = "delay"


def delay_id(ticket_id: str) -> str:
    """Id of the document that waits among the clocks for a delayed ticket's date."""
    return f"{ticket_id}.{DELAY}"


def delay_document(ticket_id: str, until: datetime) -> Document:
    """A delay, due like a clock; it is deleted when it has been told."""
    return {
        "_id": delay_id(ticket_id),
        "v": VERSION,
        "kind": DELAY,
        "ticket_id": ticket_id,
        "next_at": until,
    }


def delay_ended(document: Document, now: datetime) -> DelayEnded:
    """What the document of a delay tells when its date has come."""
    return DelayEnded(ticket_id=document["ticket_id"], until=document["next_at"], fired_at=now)


def refitted_row(news: ClocksChanged, at: datetime) -> Document:
    """The row that tells of clocks that follow other terms since then, without an event."""
    row_id = f"{news.ticket_id}.{news.ticket_seq}.clocks.{at:%Y%m%d%H%M%S%f}"
    return _row(row_id, news, correlation_id=row_id, causation_id=row_id)


def changed_name(ticket_id: str, seq: int) -> str:
    """The id of the record that tells of a ticket's clocks after event ``seq``."""
    return f"{ticket_id}.{seq}.clocks"


def changed_row(news: ClocksChanged, cause: Meta) -> Document:
    """The row that tells of the clocks after the ticket event in ``cause``."""
    return _row(
        changed_name(news.ticket_id, news.ticket_seq),
        news,
        correlation_id=cause.correlation_id,
        causation_id=cause.id,
    )


def fired_row(news: Told | DelayEnded) -> Document:
    """The row of what a clock or a delay told; the clock, or the date, makes its id unique."""
    match news:
        case DelayEnded(until=until):
            row_id = f"{delay_id(news.ticket_id)}.{until:%Y%m%d%H%M%S%f}"
            return _row(row_id, news, correlation_id=row_id, causation_id=row_id)
        case ClockWarned():
            name = "warned"
        case ClockRanOut(again=again):
            name = ran_out_name(again)
        case ClockStepReached(step=step):
            name = f"step-{step}"
    clock_id = f"{news.ticket_id}.{news.target}.{news.cycle}"
    return _row(f"{clock_id}.{name}", news, correlation_id=clock_id, causation_id=clock_id)


def _row(row_id: str, news: ClocksChanged | Told | DelayEnded, **causes: str) -> Document:
    return {
        "_id": row_id,
        "v": VERSION,
        "type": news.type,
        "ticket_id": news.ticket_id,
        "data": news.model_dump_json(),
        **causes,
    }


def queued(rows: list[Document], now: datetime) -> list[Document]:
    """The rows with the time of their commit, which is that of their records."""
    return [{**row, "queued_at": now} for row in rows]


def outgoing(row: Document) -> Outgoing:
    """The record of an outbox row."""
    record = RECORDS[row["type"]].model_validate_json(row["data"])
    assert isinstance(record, Event)  # noqa: S101 - only events are written above
    return Outgoing(
        topic=SLA_EVENTS,
        key=row["ticket_id"],
        record=record,
        meta=Meta(
            id=row["_id"],
            source=SOURCE,
            time=row["queued_at"],
            subject=row["ticket_id"],
            correlation_id=row["correlation_id"],
            causation_id=row["causation_id"],
        ),
    )
