"""One target of a ticket: it runs in stretches of time until it is met, missed or cancelled.

The stretches are kept, so that another goal or calendar can be applied to what was used already.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from services.sla.domain.calendar import BusinessCalendar, CalendarError
from services.sla.domain.policy import Allowance, Terms
from shared.config.sla import Step
from shared.contracts.sla import (
    Clock,
    ClockRanOut,
    ClockStepReached,
    ClockWarned,
    DelayEnded,
    Target,
)
from shared.variants import but

State = Literal["running", "paused", "met", "missed", "cancelled"]
OPEN: frozenset[State] = frozenset({"running", "paused"})
Stretch = tuple[datetime, datetime | None]
"""From and to; the last one of a running clock has no end."""
TOLD_STRETCHES = 20
Told = ClockWarned | ClockRanOut | ClockStepReached


@dataclass(frozen=True)
class TicketClock:
    """State of a clock; instants are aware, UTC and whole milliseconds.

    ``due_at`` and ``warn_at`` are empty as long as a pause hides them, ``steps`` says when which
    step of the ladder is reached. ``warned``, ``ran_out`` and ``stepped`` say what was told
    already: each is told once, whatever is recomputed later. ``again`` counts ends of the clock
    that were none, because it had been stopped before. ``calendar`` and ``timezone`` name what
    counts its time (empty: all time), ``said`` the goal where it is in days.
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
    rule: str = ""
    calendar: str = ""
    timezone: str = ""
    said: str = ""
    amber_left_s: int = 0
    steps: tuple[tuple[str, datetime], ...] = ()
    stepped: tuple[str, ...] = ()
    again: int = 0

    @property
    def id(self) -> str:
        """Unique in the desk, such as ``T-1.resolution.1``."""
        return f"{self.ticket_id}.{self.target}.{self.cycle}"

    @property
    def ran_out_id(self) -> str:
        """The id of the record that tells of its end."""
        return f"{self.id}.{ran_out_name(self.again)}"

    @property
    def is_open(self) -> bool:
        """Whether it still counts or may count again."""
        return self.state in OPEN

    @property
    def next_at(self) -> datetime | None:
        """When there is something to tell; None if nothing is known to come.

        A warning that a pause overtook is told when the clock runs on and its due time is known.
        """
        return min((at for at, *_ in self.to_tell()), default=None)

    def to_tell(self) -> list[tuple[datetime, int, str]]:
        """What was not told yet: when, its rank among things of one moment, and its name."""
        if not self.is_open or self.due_at is None:
            return []
        found = [] if self.ran_out else [(self.due_at, 1, "")]
        if not self.warned and not self.ran_out and self.warn_at:
            found.append((self.warn_at, 0, ""))
        if self.state == "running":
            steps = enumerate(self.steps, 2)
            found += [(at, n, name) for n, (name, at) in steps if name not in self.stepped]
        return sorted(found)


def started(ticket_id: str, target: Target, cycle: int, at: datetime, terms: Terms) -> TicketClock:
    """A clock that runs from ``at``; the terms have a goal for the target."""
    clock = TicketClock(
        ticket_id=ticket_id,
        target=target,
        cycle=cycle,
        goal_s=0,
        policy="",
        amber=0.0,
        stretches=((at, None),),
    )
    return _measured(clock, terms)


def ran_out_name(again: int) -> str:
    """What tells of a clock's end is called, after that many ends that were none."""
    return f"ran-out-{again}" if again else "ran-out"


def paused(clock: TicketClock, at: datetime, read_at: datetime, terms: Terms) -> TicketClock:
    """The clock standing still from ``at``; unchanged unless it runs.

    Where it fell due before that was known, at ``read_at``, it did not run out after all.
    """
    if clock.state != "running":
        return clock
    stretches = _cut(clock.stretches, at)
    held = _measured(but(clock, state="paused", stretches=stretches), terms)
    if clock.due_at is not None and at < clock.due_at <= read_at:
        return but(held, ran_out=False, again=clock.again + 1)
    return held


def resumed(clock: TicketClock, at: datetime, terms: Terms) -> TicketClock:
    """The clock running on from ``at``, never from before its pause; unchanged unless paused."""
    if clock.state != "paused":
        return clock
    ends = [end for _, end in clock.stretches if end is not None]
    stretches = (*clock.stretches, (max([at, *ends]), None))
    return _measured(but(clock, state="running", stretches=stretches), terms)


def stopped(clock: TicketClock, at: datetime, terms: Terms) -> TicketClock:
    """Met if ``at`` is no later than the due time, else missed; unchanged unless open.

    A missed one has run out, whether or not anybody looked: `overlooked` tells of it.
    """
    if not clock.is_open:
        return clock
    ended = _measured(but(clock, stretches=_cut(clock.stretches, at)), terms)
    in_time = ended.due_at is None or at <= ended.due_at
    if in_time:
        return but(ended, state="met", ended_at=at)
    return but(ended, state="missed", ended_at=at, warned=True, ran_out=True)


def cancelled(clock: TicketClock, at: datetime) -> TicketClock:
    """The clock without a result; unchanged unless open."""
    if not clock.is_open:
        return clock
    return but(clock, state="cancelled", ended_at=at, stretches=_cut(clock.stretches, at))


def refitted(clock: TicketClock, at: datetime, terms: Terms | None) -> TicketClock:
    """The clock under other terms: what was used stays used, what was told is not told again.

    Without a goal for its target it is cancelled. Unchanged unless open.
    """
    if not clock.is_open:
        return clock
    if terms is None or clock.target not in terms.goals:
        return cancelled(clock, at)
    return _measured(clock, terms)


def used(clock: TicketClock, as_of: datetime, calendar: BusinessCalendar) -> timedelta:
    """Time counted until then."""
    total = timedelta(0)
    for start, end in clock.stretches:
        until = as_of if end is None else min(end, as_of)
        if until > start:
            total += calendar.between(start, until)
    return total


def fired(
    clock: TicketClock, now: datetime, until: datetime | None = None
) -> tuple[TicketClock, list[Told]]:
    """What is to be told by ``now``, in order, and the clock that remembers having told it.

    With ``until`` only of the time up to then.
    """
    told: list[Told] = []
    for at, rank, name in clock.to_tell():
        if at > (until or now) or clock.due_at is None:
            break
        names = {"ticket_id": clock.ticket_id, "target": clock.target, "cycle": clock.cycle}
        names |= {"due_at": clock.due_at}
        if rank == 0:
            told.append(ClockWarned(**names, warn_at=at, warned_at=now))
            clock = but(clock, warned=True)
        elif rank == 1:
            more = {"policy": clock.policy, "again": clock.again}
            told.append(ClockRanOut(**names, **more, fired_at=now))
            clock = but(clock, warned=True, ran_out=True)
        else:
            reached = {"step": name, "policy": clock.policy, "reached_at": at, "fired_at": now}
            told.append(ClockStepReached(**names, **reached))
            clock = but(clock, stepped=(*clock.stepped, name))
    return clock, told


def overlooked(before: TicketClock | None, clock: TicketClock, now: datetime) -> list[Told]:
    """That the clock ran out, where that was not told before a late answer ended it."""
    if clock.state != "missed" or clock.due_at is None or (before and before.ran_out):
        return []
    names = {"ticket_id": clock.ticket_id, "target": clock.target, "cycle": clock.cycle}
    more = {"policy": clock.policy, "again": clock.again}
    return [ClockRanOut(**names, **more, due_at=clock.due_at, fired_at=now)]


def at_which(told: Told | DelayEnded) -> datetime:
    """When what is told of came about, however late it is told."""
    match told:
        case DelayEnded():
            return told.until
        case ClockWarned():
            return told.warn_at or told.due_at
        case ClockRanOut():
            return told.due_at
        case ClockStepReached():
            return told.reached_at


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
        rule=clock.rule,
        calendar=clock.calendar,
        timezone=clock.timezone,
        said=clock.said,
        stretches=list(clock.stretches[-TOLD_STRETCHES:]),
    )


def _cut(stretches: tuple[Stretch, ...], at: datetime) -> tuple[Stretch, ...]:
    """The stretches up to ``at``; the first remains, however short."""
    kept = [
        (start, at if end is None or end > at else end) for start, end in stretches if start < at
    ]
    return tuple(kept) or ((stretches[0][0], stretches[0][0]),)


def _measured(clock: TicketClock, terms: Terms) -> TicketClock:
    """The clock by these terms: when it is due, when it warns, when steps are reached."""
    goal = terms.goals[clock.target]
    due_at = _reached(clock.stretches, goal.seconds, goal.measure)
    warn_s = int(goal.seconds * terms.amber)
    if terms.amber_left_s:
        warn_s = min(warn_s, max(goal.seconds - terms.amber_left_s, 0))
    return but(
        clock,
        policy=terms.policy,
        rule=terms.rule,
        goal_s=goal.seconds,
        said=goal.said,
        calendar=goal.calendar,
        timezone=goal.timezone,
        amber=terms.amber,
        amber_left_s=terms.amber_left_s,
        due_at=due_at,
        warn_at=_reached(clock.stretches, warn_s, goal.measure),
        steps=tuple(
            (step.name, at)
            for step in terms.steps
            if clock.target in step.targets
            and step.late != 0  # what is done at the due time, tickets does with the breach
            and (at := _step_at(step, clock.stretches, goal, due_at)) is not None
        ),
    )


def _step_at(
    step: Step, stretches: tuple[Stretch, ...], goal: Allowance, due_at: datetime | None
) -> datetime | None:
    """When the step is reached; None if a pause hides it, or the goal is shorter than it asks."""
    if step.used is not None:
        return _reached(stretches, int(goal.seconds * step.used), goal.measure)
    distance = step.late or -(step.left or 0)
    if goal.seconds + distance <= 0:
        return None
    if step.clock == "real":
        return due_at + timedelta(seconds=distance) if due_at else None
    return _reached(stretches, goal.seconds + distance, goal.measure)


def _reached(
    stretches: tuple[Stretch, ...], seconds: int, calendar: BusinessCalendar
) -> datetime | None:
    """The instant at which that much was used; None if it is not, or while it cannot be known."""
    left = timedelta(seconds=seconds)
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
