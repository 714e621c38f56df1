"""What a ticket event changes in the read model. Pure: the same events give the same rows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.reports.domain.rows import Rating, Resolution, TargetRow, TicketRow, WorkKind, WorkRow
from shared.contracts import ticket as events
from shared.contracts.sla import Clock

OPEN = ("new", "open")
WAITING = ("pending", "on-hold")


@dataclass(frozen=True)
class Projected:
    """The row after the event, and the work that the event tells of."""

    row: TicketRow
    work: tuple[WorkRow, ...] = ()


def project(row: TicketRow | None, event: events.TicketEvent) -> Projected:
    """Apply the event; one that the row has seen, by its seq, changes nothing."""
    if row is not None and event.seq <= row.seq:
        return Projected(row)
    known = row or _first(event)
    changes = _state(event) | _times(known, event) | _targets(known, event)
    after = known.model_copy(update=changes)
    after = after.model_copy(update=_special(after, event))
    return Projected(after, _work(event))


def _first(event: events.TicketEvent) -> TicketRow:
    opened_at = event.state.opened_at
    return TicketRow(
        ticket_id=event.ticket_id,
        seq=event.seq,
        opened_at=opened_at,
        updated_at=opened_at,
        started_at=opened_at,
        status_since=opened_at,
    )


def _state(event: events.TicketEvent) -> dict[str, Any]:
    state = event.state
    same = (
        "subject",
        "status",
        "priority",
        "category",
        "mailbox",
        "source",
        "requester",
        "account_id",
        "team",
        "messages",
        "escalated",
        "first_response_at",
        "resolved_at",
        "closed_at",
    )
    return {name: getattr(state, name) for name in same} | {
        "seq": event.seq,
        "assignee": state.assignee or "",
        "updated_at": event.at,
    }


def _times(row: TicketRow, event: events.TicketEvent) -> dict[str, Any]:
    """Credit the time since the last look to the status that held until now."""
    passed_s = max(0, int((event.at - row.status_since).total_seconds()))
    credited: dict[str, Any] = {"status_since": max(event.at, row.status_since)}
    if row.status in OPEN:
        credited["open_s"] = row.open_s + passed_s
    elif row.status in WAITING:
        credited["waiting_s"] = row.waiting_s + passed_s
    return credited


def _targets(row: TicketRow, event: events.TicketEvent) -> dict[str, Any]:
    """Outcomes of clocks: met or late from the clocks' state, breached from tickets' own word."""
    rows = {(one.target, one.cycle): one for one in row.targets}
    for clock in event.state.clocks:
        key = (clock.target, clock.cycle)
        before = rows.get(key)
        if clock.state != "cancelled":
            rows[key] = _target(before, clock)
        elif before is not None and before.breached_at is None:
            del rows[key]
    if isinstance(event, events.SLABreached):
        key = (event.target, event.cycle)
        known = rows.get(key, TargetRow(target=event.target, cycle=event.cycle))
        rows[key] = known.model_copy(update={"breached_at": event.due_at})
    if isinstance(event, events.SLABreachWithdrawn):
        key = (event.target, event.cycle)
        if key in rows:
            rows[key] = rows[key].model_copy(update={"breached_at": None})
    return {"targets": tuple(rows[key] for key in sorted(rows))}


def _target(before: TargetRow | None, clock: Clock) -> TargetRow:
    over = clock.state in ("met", "missed")
    breached_at = before.breached_at if before else None
    if clock.state == "missed":
        breached_at = breached_at or clock.as_of
    return TargetRow(
        target=clock.target,
        cycle=clock.cycle,
        goal_s=clock.goal_s,
        used_s=clock.goal_s - clock.left_s if over else None,
        ended_at=clock.as_of if over else None,
        breached_at=breached_at,
    )


def _special(row: TicketRow, event: events.TicketEvent) -> dict[str, Any]:
    match event:
        case events.TicketResolved():
            return {"resolutions": (*row.resolutions, _resolution(row, event))}
        case events.TicketReopened():
            return {
                "reopenings": (*row.reopenings, event.at),
                "started_at": event.at,
                "open_before_s": row.open_s,
            }
        case events.SurveyAnswered():
            others = (one for one in row.ratings if one.cycle != event.cycle)
            ratings = (*others, _rating(row, event))
            return {"ratings": tuple(sorted(ratings, key=lambda one: one.cycle))}
        case _:
            return {}


def _resolution(row: TicketRow, event: events.TicketResolved) -> Resolution:
    return Resolution(
        at=event.state.resolved_at or event.at,
        since=row.started_at,
        agent=_agent(event.by) or row.assignee,
        open_s=row.open_s - row.open_before_s,
    )


def _rating(row: TicketRow, event: events.SurveyAnswered) -> Rating:
    solved = row.resolutions[: event.cycle]
    solver = solved[-1].agent if solved else row.assignee
    return Rating(
        cycle=event.cycle,
        score=event.survey.score,
        comment=event.survey.comment,
        at=event.at,
        agent=event.agent or solver,
    )


def _work(event: events.TicketEvent) -> tuple[WorkRow, ...]:
    match event:
        case events.MessageAdded(message=message):
            kind: WorkKind = "answer" if message.kind == "public" else "note"
            return _row(event, message.author, kind, message.accepted_at)
        case events.TicketResolved():
            return _row(event, event.by, "resolution", event.state.resolved_at or event.at)
        case _:
            return ()


def _row(
    event: events.TicketEvent, actor: str, kind: WorkKind, at: datetime
) -> tuple[WorkRow, ...]:
    agent = _agent(actor)
    if not agent:
        return ()
    return (
        WorkRow(
            id=f"{event.ticket_id}.{event.seq}",
            ticket_id=event.ticket_id,
            seq=event.seq,
            agent=agent,
            kind=kind,
            at=at,
        ),
    )


def _agent(actor: str) -> str:
    kind, _, address = actor.partition(":")
    return address if kind == "agent" else ""
