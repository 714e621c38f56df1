"""How a ticket's clock stands at a moment: its colour, and the time left. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from shared.business_time.named import NamedCalendars
from shared.contracts.sla import Clock

Colour = Literal["green", "amber", "red", ""]


def colour(clock: Clock, now: datetime) -> Colour:
    """Green, amber or red; empty for a clock that does not run and was not missed."""
    if clock.state == "missed":
        return "red"
    if clock.state != "running" or clock.due_at is None:
        return ""
    if now >= clock.due_at:
        return "red"
    return "amber" if clock.warn_at and now >= clock.warn_at else "green"


def left(clock: Clock, now: datetime, calendars: NamedCalendars) -> timedelta:
    """The clock's own time that is left now, negative when it is late; exact to the second.

    A clock that does not run has what it had when sla last told of it.
    """
    if clock.state != "running" or clock.due_at is None:
        return timedelta(seconds=clock.left_s)
    measure = calendars.find(clock.calendar, clock.timezone)
    if now >= clock.due_at:
        return -measure.between(clock.due_at, now)
    return measure.between(now, clock.due_at)


def latest(clocks: Sequence[Clock]) -> list[Clock]:
    """The newest cycle of each target, in the order of their first appearance."""
    newest: dict[str, Clock] = {}
    for clock in clocks:
        if clock.target not in newest or newest[clock.target].cycle <= clock.cycle:
            newest[clock.target] = clock
    return list(newest.values())


def most_pressing(clocks: Sequence[Clock]) -> Clock | None:
    """The running clock that is due first: what a list shows of a ticket."""
    running = [clock for clock in latest(clocks) if clock.state == "running" and clock.due_at]
    return min(running, key=lambda clock: clock.due_at or clock.started_at, default=None)
