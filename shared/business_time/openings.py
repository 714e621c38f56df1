"""What a calendar's settings mean, date by date: periods of wall-clock time."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Literal

from shared.business_time.zones import DAY, SECOND
from shared.config.sla import Calendar, Week

Special = Literal["closed", "opened", "holiday"]
Period = tuple[int, int]
"""Start and end (exclusive) in microseconds of wall-clock time; the end may be past midnight."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EPOCH = date(1970, 1, 1).toordinal()
_THURSDAY = 3  # the weekday of 1970-01-01, counted from Monday
_LANGUAGE = "en_US"  # or the country's own, whatever the machine's locale is
_ALL_DAY: tuple[Period, ...] = ((0, DAY),)


class CalendarError(ValueError):
    """The calendar cannot be used, or the question has no answer; the text says why."""


class Openings:
    """Periods by date; days are numbered from 1970-01-01."""

    def __init__(self, settings: Calendar) -> None:
        """Raises `CalendarError` for times, dates or holidays that mean nothing."""
        self._week = _week(settings.week)
        self._seasons = [(_Span(s.since, s.until), _week(s.week)) for s in settings.seasons]
        self._open = {day: _periods(given) for day, given in settings.open.items()}
        self._opened = {day: _Span(day, day) for day in settings.open}
        self._closed = [_Span(*_ends_of(days)) for days in settings.closed]
        self._closed_names = settings.closed
        self._holidays = _checked_holidays(settings.holidays)
        self._years: dict[int, _Year] = {}

    def between(self, first: int, last: int) -> list[Period]:
        """Periods that start on a day from first to last, in order, merged where they touch.

        A closed date has none, and the tail of the day before ends at its midnight.
        """
        found: list[Period] = []
        years = {year: self._year(year) for year in range(_year(first), _year(last + 1) + 1)}
        closed = frozenset().union(*(year.closed for year in years.values()))
        for day in range(first, last + 1):
            if day in closed:
                continue
            base = day * DAY
            for start, end in self._periods_of(day, years):
                tail_falls_away = end > DAY and day + 1 in closed
                found.append((base + start, base + (DAY if tail_falls_away else end)))
        return _merged(found)

    def special(self, day: int) -> tuple[Special, str] | None:
        """What makes a date other than its weekday, and its name or how the file calls it."""
        for span, name in zip(self._closed, self._closed_names, strict=True):
            if span.holds(day):
                return "closed", name
        for name in sorted(self._open, key=len, reverse=True):
            if self._opened[name].holds(day):
                return "opened", name
        if self._holidays:
            name = _holidays(*self._holidays, _year(day)).get(day, "")
            return ("holiday", name) if name else None
        return None

    def _periods_of(self, day: int, years: Mapping[int, "_Year"]) -> tuple[Period, ...]:
        for year in years.values():
            if day in year.open:
                return year.open[day]
        for days, week in self._seasons:
            if days.holds(day):
                return week[(day + _THURSDAY) % 7]
        return self._week[(day + _THURSDAY) % 7]

    def _year(self, year: int) -> "_Year":
        """Dates opened and closed: opened ones beat holidays and are beaten by ``closed``."""
        if year not in self._years:
            opened = {
                day: self._open[name]
                for name in sorted(self._open, key=len)  # a date of one year beats every year's
                for day in self._opened[name].days_in(year)
            }
            closed = {day for span in self._closed for day in span.days_in(year)}
            if self._holidays:
                closed |= _holidays(*self._holidays, year).keys() - opened.keys()
            self._years[year] = _Year(opened, frozenset(closed))
        return self._years[year]


@dataclass(frozen=True, slots=True)
class _Year:
    """What is special about the days of a year."""

    open: Mapping[int, tuple[Period, ...]]
    closed: frozenset[int]


class _Span:
    """From one date to another, both included: of one year, or the same in every year."""

    def __init__(self, first: str, last: str) -> None:
        self._is_yearly = _is_yearly(first)
        if self._is_yearly != _is_yearly(last):
            raise CalendarError(f"{first!r} and {last!r}: write both with the year or without")
        if self._is_yearly:
            self._first, self._last = _month_and_day(first), _month_and_day(last)
            return
        self._days = _day_of(first), _day_of(last)
        if self._days[1] < self._days[0]:
            raise CalendarError(f"{last!r} is before {first!r}")

    def holds(self, day: int) -> bool:
        if not self._is_yearly:
            return self._days[0] <= day <= self._days[1]
        on = date.fromordinal(day + _EPOCH)
        return self._is_in_year((on.month, on.day))

    def days_in(self, year: int) -> Iterable[int]:
        first, last = _day(year, 1, 1), _day(year, 12, 31)
        if not self._is_yearly:
            return range(max(first, self._days[0]), min(last, self._days[1]) + 1)
        if self._first == self._last:
            return _days_of_year(year, [self._first])
        return [day for day in range(first, last + 1) if self.holds(day)]

    def _is_in_year(self, on: tuple[int, int]) -> bool:
        if self._first <= self._last:
            return self._first <= on <= self._last
        return on >= self._first or on <= self._last


def longest_day_s(week: Week) -> int:
    """Seconds of open time on the longest day of a week."""
    days = _week(week)
    return max(sum(end - start for start, end in _merged(list(day))) for day in days) // SECOND


def _year(day: int) -> int:
    return date.fromordinal(day + _EPOCH).year


def _day(year: int, month: int, day: int) -> int:
    return date(year, month, day).toordinal() - _EPOCH


def _week(week: Week) -> tuple[tuple[Period, ...], ...]:
    if week == "always":
        return (_ALL_DAY,) * 7
    return tuple(_periods(week.get(name, [])) for name in WEEKDAYS)  # type: ignore[call-overload]


def _ends_of(days: str) -> tuple[str, str]:
    """The two ends of ``2026-08-01/2026-08-15``; a single day is both."""
    first, _, last = days.partition("/")
    return first, last or first


def _periods(given: Iterable[tuple[str, str]]) -> tuple[Period, ...]:
    return tuple(sorted(_period(start, end) for start, end in given))


@lru_cache(maxsize=4096)
def _period(start: str, end: str) -> Period:
    opens, closes = _time_of_day(start), _time_of_day(end)
    if opens in (closes, DAY):
        raise CalendarError(f"the period {start}-{end} is empty")
    return opens, closes if closes > opens else closes + DAY


@lru_cache(maxsize=4096)
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
        yield _day(year, month, day)


def _checked_holidays(given: Mapping[Any, str] | None) -> tuple[str, str] | None:
    if given is None:
        return None
    country, subdivision = given.get("country", ""), given.get("subdivision", "")
    _holidays(country, subdivision, 2026)
    return country, subdivision


@lru_cache(maxsize=8192)
def _holidays(country: str, subdivision: str, year: int) -> dict[int, str]:
    import holidays

    try:
        found = holidays.country_holidays(
            country, subdiv=subdivision or None, years=year, language=_LANGUAGE
        )
    except NotImplementedError as error:
        place = f"{country}-{subdivision}" if subdivision else country
        raise CalendarError(f"no public holidays are known of {place!r}") from error
    return {day.toordinal() - _EPOCH: name for day, name in found.items()}


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
