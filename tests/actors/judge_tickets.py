"""J10 to J12: the tickets' own order, their clocks, and what reports counts."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from shared.contracts.sla import Clock
from shared.contracts.ticket import (
    MessageAdded,
    SLABreached,
    SLAWarned,
    TicketEvent,
    TicketResolved,
)
from shared.contracts.ticket_state import TicketState
from tests.actors.books import Evidence, in_order

LATE_S = 60.0
"""A clock is told of within that much undisturbed time after it is due."""
EARLY_S = 0.01  # MongoDB keeps milliseconds


def order(found: Evidence) -> Iterator[str]:
    """A ticket's events are numbered 1, 2, 3 …, and the topic has the same in the same order."""
    for ticket_id, events in _by_ticket(found.events).items():
        numbers = [event.seq for event in events]
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"seq of {ticket_id} is {numbers}"
    stored = {f"{event.ticket_id}.{event.seq}" for event in found.events}
    published = list(dict.fromkeys(found.published))
    for event_id in sorted(stored - set(published)):
        yield f"not published: {event_id}"
    for event_id in sorted(set(published) - stored):
        yield f"too much on the topic: {event_id}"
    yield from _out_of_order(published)


def clocks(found: Evidence) -> Iterator[str]:
    """Each clock that ran out or warned is told of once, in time and not before."""
    told: Counter[tuple[str, str, str, int]] = Counter()
    for event in found.events:
        if isinstance(event, SLABreached | SLAWarned):
            key = (event.type, event.ticket_id, event.target, event.cycle)
            told[key] += 1
            if told[key] == 2:
                yield f"told twice: {event.type} of {event.ticket_id}, {event.target}"
        if isinstance(event, SLABreached):
            yield from _punctual(event, found)
    for ticket_id, state in found.states.items():
        for clock in state.clocks:
            key = ("ticket.sla-breached", ticket_id, clock.target, clock.cycle)
            if _ought_to_be_told(clock, state, found) and not told[key]:
                yield f"never told: {clock.target} of {ticket_id} was due at {clock.due_at}"


def reports(found: Evidence) -> Iterator[str]:
    """What reports shows is what the tickets say."""
    for ticket_id, state in found.states.items():
        wanted = (state.seq, state.status, state.messages)
        has = found.reports.tickets.get(ticket_id)
        if has != wanted:
            yield f"reports has {has} of {ticket_id} instead of {wanted}"
    for ticket_id in found.reports.tickets.keys() - found.states.keys():
        yield f"reports has {ticket_id}, which is no ticket"
    work = Counter(key for event in found.events if (key := _work(event)))
    for agent, kind in sorted(work.keys() | found.reports.work.keys()):
        counted, shown = work[agent, kind], found.reports.work.get((agent, kind), 0)
        if counted != shown:
            yield f"reports counts {shown} {kind}s of {agent} instead of {counted}"


def _out_of_order(published: Sequence[str]) -> Iterator[str]:
    last: dict[str, int] = defaultdict(int)
    for event_id in published:
        ticket_id, _, seq = event_id.rpartition(".")
        if int(seq) < last[ticket_id]:
            yield f"on the topic {event_id} comes after seq {last[ticket_id]}"
        last[ticket_id] = max(last[ticket_id], int(seq))


def _punctual(event: SLABreached, found: Evidence) -> Iterator[str]:
    due, told = event.due_at.timestamp(), event.at.timestamp()
    name = f"{event.target} of {event.ticket_id}"
    if told < due - EARLY_S:
        yield f"told {due - told:.1f} s before it was due: {name}"
    late_s = _calm_s(found, due, told)
    if late_s > LATE_S:
        yield f"told {late_s:.0f} undisturbed seconds late: {name}"


def _calm_s(found: Evidence, begin: float, end: float) -> float:
    """Seconds between the two in which nothing was wrong."""
    calm, at = 0.0, begin
    for one in sorted(found.disturbances, key=lambda one: one.begun):
        if one.over > at and one.begun < end:
            calm += max(0.0, one.begun - at)
            at = max(at, one.over)
    return calm + max(0.0, end - at)


def _ought_to_be_told(clock: Clock, state: TicketState, found: Evidence) -> bool:
    if clock.state != "running" or clock.due_at is None:
        return False
    answered = _answered_at(clock, state)
    in_time = answered is not None and answered <= clock.due_at
    return not in_time and _calm_s(found, clock.due_at.timestamp(), found.now) > LATE_S


def _answered_at(clock: Clock, state: TicketState) -> datetime | None:
    if clock.target == "first-response":
        return state.first_response_at
    return state.resolved_at if clock.target == "resolution" else None


def _work(event: TicketEvent) -> tuple[str, str] | None:
    match event:
        case MessageAdded(message=message) if message.author.startswith("agent:"):
            kind = "answer" if message.kind == "public" else "note"
            return message.author.partition(":")[2], kind
        case TicketResolved(by=by) if by.startswith("agent:"):
            return by.partition(":")[2], "resolution"
    return None


def _by_ticket(events: Sequence[TicketEvent]) -> dict[str, list[TicketEvent]]:
    tickets: dict[str, list[TicketEvent]] = defaultdict(list)
    for event in in_order(events):
        tickets[event.ticket_id].append(event)
    return tickets
