"""Points in time as agents write them; numbers that could mean two dates are refused."""

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MORNING = time(9, 0)
_AHEAD = re.compile(r"(\d{1,4})(m|h|d|bd|w)")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SATURDAY = 5


class AmbiguousDateError(ValueError):
    """The text names no single point in time; the message says what to write."""


def read(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The point in time, aware; relative to ``now``, read in ``zone``.

    Raises `AmbiguousDateError`.
    """
    words = text.lower().split()
    if not words:
        raise AmbiguousDateError("no time given")
    first, clock = words[0], _clock(words[1:])
    if found := _AHEAD.fullmatch(first):
        return _ahead(now, int(found[1]), found[2])
    today = now.astimezone(zone).date()
    if first == "tomorrow":
        return datetime.combine(today + timedelta(days=1), clock, zone)
    matches = [i for i, name in enumerate(WEEKDAYS) if name.startswith(first) and len(first) > 2]  # noqa: PLR2004 - "mon" is the shortest usual form
    if matches:
        days = (matches[0] - today.weekday() - 1) % 7 + 1
        return datetime.combine(today + timedelta(days=days), clock, zone)
    return _iso(" ".join(words), zone)


def _clock(words: list[str]) -> time:
    if not words:
        return MORNING
    found = _CLOCK.fullmatch(words[0])
    return time(int(found[1]), int(found[2])) if found else MORNING


def _ahead(now: datetime, count: int, unit: str) -> datetime:
    if unit != "bd":
        return now + timedelta(**{_UNITS[unit]: count})
    then = now
    while count:
        then += timedelta(days=1)
        count -= then.weekday() < _SATURDAY
    return then


def _iso(text: str, zone: ZoneInfo) -> datetime:
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return datetime.combine(date.fromisoformat(text), MORNING, zone)
        found = datetime.fromisoformat(text.upper())
    except ValueError:
        raise AmbiguousDateError("write a date as 2026-12-31, 3d, mon or tomorrow 09:00") from None
    return found if found.tzinfo else found.replace(tzinfo=zone)
