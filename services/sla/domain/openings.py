"""What a calendar's settings mean, date by date: periods of wall-clock time."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from services.sla.domain.zones import DAY, SECOND
from shared.config.models import Calendar

Period = tuple[int, int]
"""Start and end (exclusive) in microseconds of wall-clock time; the end may be past midnight."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EPOCH = date(1970, 1, 1).toordinal()
_ALL_DAY: tuple[Period, ...] = ((0, DAY),)


class CalendarError(ValueError):
    """The calendar cannot be used, or the question has no answer; the text says why."""


class Openings:
    """Periods by date; days are numbered from 1970-01-01."""

    def __init__(self, settings: Calendar) -> None:
        """Raises `CalendarError` for times, dates or holidays that mean nothing."""
        self._week = _week(settings)
        self._open = {_day_of(day): _periods(given) for day, given in settings.open.items()}
        self._closed = {_day_of(day) for day in settings.closed if not _is_yearly(day)}
        self._yearly = {_month_and_day(day) for day in settings.closed if _is_yearly(day)}
        self._holidays = _checked_holidays(settings.holidays)
        self._closed_in: dict[int, frozenset[int]] = {}

    def between(self, first: int, last: int) -> list[Period]:
        """Periods that start on a day from first to last, in order, merged where they touch.

        A closed date has none, and the tail of the day before ends at its midnight.
        """
        closed = self._closed_days(first, last + 1)
        found: list[Period] = []
        for day in range(first, last + 1):
            if day in closed:
                continue
            base = day * DAY
            for start, end in self._open.get(day, self._week[(day + 3) % 7]):
                tail_falls_away = end > DAY and day + 1 in closed
                found.append((base + start, base + (DAY if tail_falls_away else end)))
        return _merged(found)

    def _closed_days(self, first: int, last: int) -> frozenset[int]:
        years = range(_year(first), _year(last) + 1)
        return frozenset().union(*map(self._closed_in_year, years))

    def _closed_in_year(self, year: int) -> frozenset[int]:
        """Closed days; single ``open`` dates beat holidays and are beaten by ``closed``."""
        if year not in self._closed_in:
            days = set(self._closed)
            days.update(_days_of_year(year, self._yearly))
            if self._holidays:
                days |= _holidays(*self._holidays, year) - self._open.keys()
            self._closed_in[year] = frozenset(days)
        return self._closed_in[year]


def _year(day: int) -> int:
    return date.fromordinal(day + _EPOCH).year


def _week(settings: Calendar) -> tuple[tuple[Period, ...], ...]:
    if settings.week == "always":
        return (_ALL_DAY,) * 7
    return tuple(_periods(settings.week.get(name, [])) for name in WEEKDAYS)  # type: ignore[call-overload]


def _periods(given: Iterable[tuple[str, str]]) -> tuple[Period, ...]:
    return tuple(sorted(_period(start, end) for start, end in given))


@lru_cache(maxsize=4096)
def _period(start: str, end: str) -> Period:
    opens, closes = _time_of_day(start), _time_of_day(end)
    if opens in (closes, DAY):
        raise CalendarError(f"the period {start}-{end} is empty")
    return opens, closes if closes > opens else closes + DAY


def _time_of_day(text: str) -> int:
    found = re.fullmatch(r"(\d{1,2}):(\d\d)(?::(\d\d))?", text)
    hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (99, 0, 0)
    if minutes > 59 or seconds > 59 or (hours, minutes, seconds) > (24, 0, 0):  # noqa: PLR2004
        raise CalendarError(f'{text!r} is no time of day; write "09:00", at most "24:00"')
    return (hours * 3600 + minutes * 60 + seconds) * SECOND


def _is_yearly(text: str) -> bool:
    return re.fullmatch(r"\d\d-\d\d", text) is not None


def _day_of(text: str) -> int:
    try:
        return date.fromisoformat(text).toordinal() - _EPOCH
    except ValueError as error:
        raise CalendarError(f'{text!r} is no date; write "2026-12-31"') from error


def _month_and_day(text: str) -> tuple[int, int]:
    try:
        leap_day_allowed = date.fromisoformat(f"2024-{text}")
    except ValueError as error:
        raise CalendarError(f'{text!r} is no day of a year; write "12-24"') from error
    return leap_day_allowed.month, leap_day_allowed.day


def _days_of_year(year: int, yearly: Iterable[tuple[int, int]]) -> Iterable[int]:
    for month, day in yearly:
        if (month, day) == (2, 29) and (year % 4 or (year % 100 == 0 and year % 400)):
            continue
        yield date(year, month, day).toordinal() - _EPOCH


def _checked_holidays(given: Mapping[Any, str] | None) -> tuple[str, str] | None:
    if given is None:
        return None
    country, subdivision = given.get("country", ""), given.get("subdivision", "")
    _holidays(country, subdivision, 2026)
    return country, subdivision


@lru_cache(maxsize=8192)
def _holidays(country: str, subdivision: str, year: int) -> frozenset[int]:
    import holidays

    try:
        found = holidays.country_holidays(country, subdiv=subdivision or None, years=year)
    except NotImplementedError as error:
        place = f"{country}-{subdivision}" if subdivision else country
        raise CalendarError(f"no public holidays are known of {place!r}") from error
    return frozenset(day.toordinal() - _EPOCH for day in found)


def _merged(periods: list[Period]) -> list[Period]:
    periods.sort()
    merged: list[Period] = []
    until = -(1 << 62)
    for period in periods:
        if period[0] > until:
            merged.append(period)
        elif period[1] > until:
            merged[-1] = (merged[-1][0], period[1])
        else:
            continue
        until = period[1]
    return merged
