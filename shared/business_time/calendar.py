"""Open time: adding to an instant, measuring between two, finding the next. Pure and exact.

An instant is open when its wall-clock time lies in a period. What is counted is elapsed time: an
hour that the clocks skip has none, one that they repeat counts twice.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.business_time.openings import CalendarError, Openings
from shared.business_time.zones import DAY, WINDOW, UnknownZoneError, spans
from shared.config.sla import Calendar

__all__ = ["BusinessCalendar", "CalendarError"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIVE_YEARS = 1827 * DAY


@dataclass(frozen=True, slots=True)
class _Window:
    """Open spans of instants of one window: starts, ends, and the open time up to each end."""

    starts: list[int]
    ends: list[int]
    gained: list[int]

    @property
    def total(self) -> int:
        return self.gained[-1] if self.gained else 0

    def open_until(self, at: int) -> int:
        """Open time of the window before the instant."""
        index = bisect_right(self.starts, at) - 1
        if index < 0:
            return 0
        return self.gained[index] - max(0, self.ends[index] - at)

    def reached(self, gain: int) -> int:
        """The earliest instant with that much open time before it; 0 < gain <= total."""
        index = bisect_left(self.gained, gain)
        return self.ends[index] - (self.gained[index] - gain)


class BusinessCalendar:
    """A calendar ready to be asked; it works out the days that are asked for and keeps them."""

    def __init__(self, settings: Calendar) -> None:
        """Raises `CalendarError` for settings that mean nothing."""
        self._zone = settings.timezone
        self._openings = Openings(settings)
        self._windows: dict[int, _Window] = {}
        try:
            spans(self._zone, 0)
        except UnknownZoneError as error:
            raise CalendarError(str(error)) from error

    def add(self, start: datetime, open_time: timedelta) -> datetime:
        """The earliest instant with that much open time since the start; the start itself for 0.

        It may be a closing time, never the opening after it. Raises `CalendarError` for a
        negative time and where the calendar does not open for five years.
        """
        at, left = _position(start), open_time // _MICROSECOND
        if left < 0:
            raise CalendarError(f"cannot add a negative time: {open_time}")
        if left == 0:
            return start.astimezone(UTC)
        number, open_before = at // WINDOW, at
        left += self._window(number).open_until(at)
        while left > (window := self._window(number)).total:
            if window.total:
                left -= window.total
                open_before = max(at, window.ends[-1])
            number += 1
            self._refuse_idleness(open_before, number * WINDOW)
        return _instant(window.reached(left))

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Open time in [start, end); raises `CalendarError` if the end is before the start."""
        first, last = _position(start), _position(end)
        if last < first:
            raise CalendarError(f"{end.isoformat()} is before {start.isoformat()}")
        skipped = range(first // WINDOW, last // WINDOW)
        total = sum(self._window(number).total for number in skipped)
        total += self._window(last // WINDOW).open_until(last)
        return timedelta(microseconds=total - self._window(first // WINDOW).open_until(first))

    def next_open(self, at: datetime) -> datetime:
        """The first open instant from this one on; raises `CalendarError` after five years."""
        position = _position(at)
        number = position // WINDOW
        while True:
            window = self._window(number)
            index = bisect_right(window.ends, position)
            if index < len(window.ends):
                return _instant(max(position, window.starts[index]))
            number += 1
            self._refuse_idleness(position, number * WINDOW)

    def _refuse_idleness(self, since: int, until: int) -> None:
        if until - since > _FIVE_YEARS:
            raise CalendarError(f"the calendar does not open within 5 years of {_instant(since)}")

    def _window(self, number: int) -> _Window:
        window = self._windows.get(number)
        if window is None:
            window = self._windows[number] = self._worked_out(number)
        return window

    def _worked_out(self, number: int) -> _Window:
        first, last = number * WINDOW, (number + 1) * WINDOW
        try:
            # Zones are up to 26 hours apart and a period may reach into the next day.
            periods = self._openings.between(first // DAY - 2, last // DAY + 1)
            offsets = spans(self._zone, number)
        except (OverflowError, ValueError) as error:
            if isinstance(error, CalendarError):
                raise
            raise CalendarError("the time is outside of the years 1 to 9999") from error
        starts: list[int] = []
        ends: list[int] = []
        for since, until, offset in offsets:
            for opens, closes in periods:
                start, end = max(since, opens - offset), min(until, closes - offset)
                if start < end:
                    starts.append(start)
                    ends.append(end)
        return _Window(starts, ends, _running_total(starts, ends))


def _running_total(starts: list[int], ends: list[int]) -> list[int]:
    total, gained = 0, []
    for start, end in zip(starts, ends, strict=True):
        total += end - start
        gained.append(total)
    return gained


def _position(at: datetime) -> int:
    if at.tzinfo is None:
        raise CalendarError(f"{at.isoformat()} has no time zone")
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _instant(position: int) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=position)
    except OverflowError as error:
        raise CalendarError("the time is outside of the years 1 to 9999") from error
