"""The text that answers `#sla`: how each due time came about, step by step."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.business_time.explaining import Moment, explained
from shared.business_time.named import NamedCalendars
from shared.business_time.standing import colour, latest, left
from shared.config.models import Desk
from shared.config.people import Agent
from shared.contracts.sla import Clock
from shared.contracts.ticket_state import TicketState

_NAMES = {
    "first-response": "First response",
    "next-response": "Answer to the customer",
    "resolution": "Resolution",
}
_WORDS = {
    "started": "started",
    "paused": "stopped, {counted} counted so far",
    "resumed": "goes on, {counted} counted so far",
    "ended": "over, {counted} counted",
    "due": "due: {counted} counted",
    "closed": "closed all day ({name})",
    "opened": "has hours of its own ({name})",
    "holiday": "public holiday, closed: {name}",
    "clock-change": "the clocks go {way} by {shift}",
}


def sla_text(state: TicketState, now: datetime, reader: Agent, desk: Desk) -> str:
    """All targets of the ticket as of ``now``, times in the reader's zone."""
    zone = ZoneInfo(reader.timezone)
    calendars = NamedCalendars(desk.calendars)
    parts = [f"Times are in {zone.key}."]
    parts += [_clock_text(clock, now, zone, calendars) for clock in latest(state.clocks)]
    if not state.clocks:
        parts.append("No target is measured for this ticket.")
    if state.estimate_at:
        parts.append(f"Estimated by the desk, beside the targets: {_at(state.estimate_at, zone)}")
    if state.delayed_until:
        parts.append(f"Rests until {_at(state.delayed_until, zone)}")
    return "\n\n".join(parts)


def spent(seconds: timedelta) -> str:
    """``7 h 58 min``, with seconds where there are any; a sign where it is negative."""
    total = int(abs(seconds).total_seconds())
    hours, minutes, rest = total // 3600, total % 3600 // 60, total % 60
    parts = [(hours, "h"), (minutes, "min"), (rest, "s")]
    words = [f"{number} {unit}" for number, unit in parts if number]
    return ("-" if seconds < timedelta(0) else "") + (" ".join(words) or "0 min")


def standing(clock: Clock, now: datetime, zone: ZoneInfo, calendars: NamedCalendars) -> str:
    """``AMBER 2 h left, due 2026-11-20 17:00 CET``; what is left is the clock's own time."""
    tone, rest = colour(clock, now).upper(), left(clock, now, calendars)
    if clock.state != "running" or clock.due_at is None:
        left_over = f", {spent(rest)} left" if clock.state == "paused" else ""
        return f"{tone} {clock.state}{left_over}".strip()
    due = _at(clock.due_at, zone)
    if tone == "RED":
        return f"RED late by {spent(abs(rest))}, was due {due}"
    return f"{tone} {spent(rest)} left, due {due}"


def _clock_text(clock: Clock, now: datetime, zone: ZoneInfo, calendars: NamedCalendars) -> str:
    name = _NAMES[clock.target] + (f", round {clock.cycle}" if clock.cycle > 1 else "")
    hours = spent(timedelta(seconds=clock.goal_s))
    goal = f"{clock.said} ({hours})" if clock.said else hours
    lines = [
        f"{name}: {standing(clock, now, zone, calendars)}",
        f"  policy {clock.policy}, because of: {clock.rule or 'default'}",
        f"  {goal} of {_measure(clock, calendars)}",
        *(_moment(moment, zone) for moment in explained(clock, calendars)),
    ]
    return "\n".join(lines)


def _measure(clock: Clock, calendars: NamedCalendars) -> str:
    if not clock.calendar:
        return "all time, day and night"
    settings = calendars.settings(clock.calendar, clock.timezone)
    whose = ", the customer's zone" if clock.timezone else ""
    return f"open time by the calendar {clock.calendar} ({settings.timezone}{whose})"


def _moment(moment: Moment, zone: ZoneInfo) -> str:
    words = _WORDS[moment.kind].format(
        counted=spent(moment.counted or timedelta(0)),
        name=moment.name,
        way="forward" if moment.shift > timedelta(0) else "back",
        shift=spent(abs(moment.shift)),
    )
    local = moment.at.astimezone(zone)
    at = f"{moment.day:%a %Y-%m-%d}      " if moment.day else f"{local:%a %Y-%m-%d %H:%M}"
    return f"  {at}  {words}"


def _at(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}"
