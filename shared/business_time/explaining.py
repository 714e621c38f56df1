"""How a due time came about, step by step: what started, stopped and delayed a clock. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from shared.business_time.named import NamedCalendars
from shared.business_time.openings import Openings
from shared.business_time.zones import WINDOW, spans, zone
from shared.config.sla import Calendar
from shared.contracts.sla import Clock

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_DAYS = 800
"""Longer than any sensible target; a clock that is open for years is explained up to here."""

Kind = Literal[
    "started", "paused", "resumed", "due", "ended", "closed", "opened", "holiday", "clock-change"
]


@dataclass(frozen=True)
class Moment:
    """Something that mattered at ``at``; ``day`` is given where it is about that whole date.

    ``counted`` is the time used by then, ``name`` a holiday's or a closing day's; a change of the
    clocks has their ``shift``.
    """

    at: datetime
    kind: Kind
    counted: timedelta | None = None
    name: str = ""
    day: date | None = None
    shift: timedelta = timedelta(0)


def explained(clock: Clock, calendars: NamedCalendars) -> list[Moment]:
    """All that mattered from the start to the due time, or to the end, in order."""
    found = list(_own_moments(clock, calendars))
    if clock.calendar:
        settings = calendars.settings(clock.calendar, clock.timezone)
        for start, end in _running(clock):
            found += _special_days(settings, start, end)
            found += _clock_changes(settings.timezone, start, end)
    return sorted(dict.fromkeys(found), key=lambda moment: moment.at)


def _own_moments(clock: Clock, calendars: NamedCalendars) -> Iterator[Moment]:
    measure = calendars.find(clock.calendar, clock.timezone)
    counted = timedelta(0)
    for number, (start, end) in enumerate(clock.stretches):
        yield Moment(start, "resumed" if number else "started", counted)
        if end is not None:
            counted += measure.between(start, end)
            is_last = number == len(clock.stretches) - 1
            over = is_last and clock.state not in ("running", "paused")
            yield Moment(end, "ended" if over else "paused", counted)
    if clock.due_at is not None:
        yield Moment(clock.due_at, "due", timedelta(seconds=clock.goal_s))


def _running(clock: Clock) -> Iterator[tuple[datetime, datetime]]:
    for start, end in clock.stretches:
        until = end or clock.due_at
        if until is not None and until > start:
            yield start, min(until, start + timedelta(days=_MOST_DAYS))


def _special_days(settings: Calendar, start: datetime, end: datetime) -> Iterator[Moment]:
    openings, tz = Openings(settings), zone(settings.timezone)
    day, last = start.astimezone(tz).date(), end.astimezone(tz).date()
    while day <= last:
        special = openings.special((day - _EPOCH.date()).days)
        if special:
            kind, name = special
            yield Moment(_midnight(day, tz), kind, name=name, day=day)
        day += timedelta(days=1)


def _midnight(day: date, tz: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, tz).astimezone(UTC)


def _clock_changes(timezone: str, start: datetime, end: datetime) -> Iterator[Moment]:
    first, last = _micros(start), _micros(end)
    before: int | None = None
    for number in range(first // WINDOW, last // WINDOW + 1):
        for since, _, offset in spans(timezone, number):
            if before is not None and offset != before and first <= since < last:
                at = _EPOCH + timedelta(microseconds=since)
                shift = timedelta(microseconds=offset - before)
                yield Moment(at, "clock-change", shift=shift)
            before = offset


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)
