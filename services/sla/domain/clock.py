"""One target of a ticket: it runs in stretches of time until it is met, missed or cancelled.

The stretches are kept, so that another goal or calendar can be applied to what was used already.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from services.sla.domain.calendar import BusinessCalendar, CalendarError
from services.sla.domain.policy import Terms
from shared.contracts.sla import Clock, ClockRanOut, ClockWarned, Target

State = Literal["running", "paused", "met", "missed", "cancelled"]
OPEN: frozenset[State] = frozenset({"running", "paused"})
Stretch = tuple[datetime, datetime | None]
"""From and to; the last one of a running clock has no end."""


@dataclass(frozen=True)
class TicketClock:
    """State of a clock; instants are aware, UTC and whole milliseconds.

    ``due_at`` and ``warn_at`` are empty as long as a pause hides them. ``warned`` and ``ran_out``
    say what was told already: each is told once, whatever is recomputed later.
    """

    ticket_id: str
    target: Target
    cycle: int
    goal_s: int
    policy: str
    amber: float
    stretches: tuple[Stretch, ...]
    state: State = "running"
    due_at: datetime | None = None
    warn_at: datetime | None = None
    ended_at: datetime | None = None
    warned: bool = False
    ran_out: bool = False

    @property
    def id(self) -> str:
        """Unique in the desk, such as ``T-1.resolution.1``."""
        return f"{self.ticket_id}.{self.target}.{self.cycle}"

    @property
    def is_open(self) -> bool:
        """Whether it still counts or may count again."""
        return self.state in OPEN

    @property
    def next_at(self) -> datetime | None:
        """When there is something to tell; None if nothing is known to come.

        A warning that a pause overtook is told when the clock runs on and its due time is known.
        """
        if not self.is_open or self.ran_out or self.due_at is None:
            return None
        return self.due_at if self.warned else self.warn_at


def started(ticket_id: str, target: Target, cycle: int, at: datetime, terms: Terms) -> TicketClock:
    """A clock that runs from ``at``; the terms have a goal for the target."""
    clock = TicketClock(
        ticket_id=ticket_id,
        target=target,
        cycle=cycle,
        goal_s=terms.goals[target],
        policy=terms.policy,
        amber=terms.amber,
        stretches=((at, None),),
    )
    return _measured(clock, terms.calendar)


def paused(clock: TicketClock, at: datetime, calendar: BusinessCalendar) -> TicketClock:
    """The clock standing still from ``at``; unchanged unless it runs."""
    if clock.state != "running":
        return clock
    stretches = _cut(clock.stretches, at)
    return _measured(replace(clock, state="paused", stretches=stretches), calendar)


def resumed(clock: TicketClock, at: datetime, calendar: BusinessCalendar) -> TicketClock:
    """The clock running on from ``at``, never from before its pause; unchanged unless paused."""
    if clock.state != "paused":
        return clock
    ends = [end for _, end in clock.stretches if end is not None]
    stretches = (*clock.stretches, (max([at, *ends]), None))
    return _measured(replace(clock, state="running", stretches=stretches), calendar)


def stopped(clock: TicketClock, at: datetime, calendar: BusinessCalendar) -> TicketClock:
    """Met if ``at`` is no later than the due time, else missed; unchanged unless open."""
    if not clock.is_open:
        return clock
    ended = _measured(replace(clock, stretches=_cut(clock.stretches, at)), calendar)
    in_time = ended.due_at is None or at <= ended.due_at
    return replace(ended, state="met" if in_time else "missed", ended_at=at)


def cancelled(clock: TicketClock, at: datetime) -> TicketClock:
    """The clock without a result; unchanged unless open."""
    if not clock.is_open:
        return clock
    return replace(clock, state="cancelled", ended_at=at, stretches=_cut(clock.stretches, at))


def refitted(clock: TicketClock, at: datetime, terms: Terms | None) -> TicketClock:
    """The clock under other terms: what was used stays used, what was told is not told again.

    Without a goal for its target it is cancelled. Unchanged unless open.
    """
    if not clock.is_open:
        return clock
    if terms is None or clock.target not in terms.goals:
        return cancelled(clock, at)
    fitted = replace(
        clock, policy=terms.policy, goal_s=terms.goals[clock.target], amber=terms.amber
    )
    return _measured(fitted, terms.calendar)


def used(clock: TicketClock, as_of: datetime, calendar: BusinessCalendar) -> timedelta:
    """Time counted until then."""
    total = timedelta(0)
    for start, end in clock.stretches:
        until = as_of if end is None else min(end, as_of)
        if until > start:
            total += calendar.between(start, until)
    return total


def fired(clock: TicketClock, now: datetime) -> tuple[TicketClock, list[ClockWarned | ClockRanOut]]:
    """What is to be told by ``now``, in order, and the clock that remembers having told it."""
    told: list[ClockWarned | ClockRanOut] = []
    due_at, warn_at = clock.due_at, clock.warn_at
    if clock.next_at is None or due_at is None:
        return clock, told
    names = (clock.ticket_id, clock.target, clock.cycle)
    if not clock.warned and warn_at and warn_at <= now:
        told.append(_warned(*names, due_at, now))
    if due_at <= now:
        told.append(_ran_out(*names, due_at, now))
    return replace(clock, warned=clock.warned or bool(told), ran_out=due_at <= now), told


def _warned(
    ticket_id: str, target: Target, cycle: int, due_at: datetime, now: datetime
) -> ClockWarned:
    return ClockWarned(
        ticket_id=ticket_id, target=target, cycle=cycle, due_at=due_at, warned_at=now
    )


def _ran_out(
    ticket_id: str, target: Target, cycle: int, due_at: datetime, now: datetime
) -> ClockRanOut:
    return ClockRanOut(ticket_id=ticket_id, target=target, cycle=cycle, due_at=due_at, fired_at=now)


def as_told(clock: TicketClock, as_of: datetime, calendar: BusinessCalendar) -> Clock:
    """The clock as other services see it."""
    as_of = clock.ended_at or as_of
    left = timedelta(seconds=clock.goal_s) - used(clock, as_of, calendar)
    runs = clock.state == "running"
    return Clock(
        target=clock.target,
        cycle=clock.cycle,
        state=clock.state,
        policy=clock.policy,
        goal_s=clock.goal_s,
        started_at=clock.stretches[0][0],
        due_at=clock.due_at if runs else None,
        warn_at=clock.warn_at if runs else None,
        left_s=left // timedelta(seconds=1),
        as_of=as_of,
    )


def _cut(stretches: tuple[Stretch, ...], at: datetime) -> tuple[Stretch, ...]:
    """The stretches up to ``at``; the first remains, however short."""
    kept = [
        (start, at if end is None or end > at else end) for start, end in stretches if start < at
    ]
    return tuple(kept) or ((stretches[0][0], stretches[0][0]),)


def _measured(clock: TicketClock, calendar: BusinessCalendar) -> TicketClock:
    goal = timedelta(seconds=clock.goal_s)
    share = timedelta(seconds=int(clock.goal_s * clock.amber))
    return replace(
        clock,
        due_at=_reached(clock.stretches, goal, calendar),
        warn_at=_reached(clock.stretches, share, calendar),
    )


def _reached(
    stretches: tuple[Stretch, ...], goal: timedelta, calendar: BusinessCalendar
) -> datetime | None:
    """The instant at which that much was used; None if it is not, or while it cannot be known."""
    left = goal
    for start, end in stretches:
        if end is None:
            return _due(calendar, start, left)
        counted = calendar.between(start, end)
        if counted >= left:
            return _due(calendar, start, left)
        left -= counted
    return None


def _due(calendar: BusinessCalendar, start: datetime, left: timedelta) -> datetime | None:
    """None where the calendar never gets that far: such a clock never falls due."""
    try:
        return calendar.add(start, left)
    except CalendarError:
        return None
