"""Open time against an oracle that looks at every minute, and against its own laws."""

from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from itertools import pairwise
from zoneinfo import ZoneInfo

import holidays
from hypothesis import given, settings
from hypothesis import strategies as st

from services.sla.domain.calendar import BusinessCalendar
from shared.config.sla import Calendar

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTE = timedelta(minutes=1)
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "America/Havana",
)
# Nights on which one of the zones changes, and the date that Samoa left out.
STARTS = (
    "2026-03-28",
    "2026-10-24",
    "2026-03-07",
    "2026-10-31",
    "2026-04-04",
    "2011-12-28",
    "2006-10-28",
    "2026-12-22",
    "2024-02-27",
)


def zone(name: str) -> ZoneInfo:
    """From the pinned package: the tables of this machine may be of another year."""
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as table:
        return ZoneInfo.from_file(table)


def minutes_of(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


class Oracle:
    """The definition word by word, asked of one minute at a time."""

    def __init__(self, rules: Calendar) -> None:
        self.rules = rules
        self.zone = zone(rules.timezone)
        country = (rules.holidays or {}).get("country")
        self.public = holidays.country_holidays(country) if country else {}

    def is_closed(self, day: date) -> bool:
        if day.isoformat() in self.rules.closed or f"{day:%m-%d}" in self.rules.closed:
            return True
        return day.isoformat() not in self.rules.open and day in self.public

    def periods(self, day: date) -> list[tuple[str, str]]:
        if self.is_closed(day):
            return []
        if day.isoformat() in self.rules.open:
            return self.rules.open[day.isoformat()]
        if self.rules.week == "always":
            return [("00:00", "24:00")]
        return self.rules.week.get(DAYS[day.weekday()], [])

    def is_open(self, instant: datetime) -> bool:
        local = instant.astimezone(self.zone)
        now = local.hour * 60 + local.minute
        today = local.date()
        if self.is_closed(today):
            return False
        for start, end in self.periods(today):
            begins, ends = minutes_of(start), minutes_of(end)
            if begins <= now and (now < ends or ends <= begins):
                return True
        yesterday = self.periods(today - timedelta(days=1))
        return any(
            minutes_of(end) <= minutes_of(start) and now < minutes_of(end)
            for start, end in yesterday
        )


def clock_times(last: int) -> st.SearchStrategy[str]:
    return st.integers(0, last).map(lambda q: f"{q * 15 // 60:02}:{q * 15 % 60:02}")


periods = st.lists(
    st.tuples(clock_times(95), clock_times(96)).filter(lambda p: p[0] != p[1]), max_size=3
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Calendar, datetime]:
    start = datetime.fromisoformat(draw(st.sampled_from(STARTS))).replace(tzinfo=UTC)
    dates = st.integers(-1, 6).map(lambda n: f"{start + timedelta(days=n):%Y-%m-%d}")
    rules = {
        "timezone": draw(st.sampled_from(ZONES)),
        "week": draw(st.just("always") | st.dictionaries(st.sampled_from(DAYS), periods)),
        "closed": draw(st.lists(dates | dates.map(lambda d: d[5:]), max_size=2)),
        "open": draw(st.dictionaries(dates, periods, max_size=2)),
        "holidays": draw(st.sampled_from([None, {"country": "DE"}, {"country": "US"}])),
    }
    return Calendar.model_validate(rules), start + draw(st.integers(0, 2880)) * MINUTE


@given(cases(), st.integers(0, 4320))
@settings(max_examples=25, deadline=None)
def test_the_time_between_two_instants_is_the_number_of_open_minutes(case, length) -> None:
    rules, start = case
    oracle = Oracle(rules)
    expected = sum(oracle.is_open(start + n * MINUTE) for n in range(length))

    counted = BusinessCalendar(rules).between(start, start + length * MINUTE)

    assert counted == expected * MINUTE


@given(cases(), st.integers(1, 900))
@settings(max_examples=25, deadline=None)
def test_a_due_time_is_the_first_instant_with_that_many_open_minutes_before_it(
    case, wanted
) -> None:
    rules, start = case
    oracle, at, gained = Oracle(rules), start, 0
    while gained < wanted and at < start + timedelta(days=4):
        gained += oracle.is_open(at)
        at += MINUTE

    if gained == wanted:
        assert BusinessCalendar(rules).add(start, wanted * MINUTE) == at


@given(cases())
@settings(max_examples=25, deadline=None)
def test_the_next_opening_is_the_first_open_minute(case) -> None:
    rules, start = case
    oracle, at = Oracle(rules), start
    while not oracle.is_open(at) and at < start + timedelta(days=4):
        at += MINUTE

    if oracle.is_open(at):
        assert BusinessCalendar(rules).next_open(start) == at


WEEKLY = Calendar.model_validate(
    {
        "timezone": "Europe/Berlin",
        "week": {"mon": [["08:00", "18:00"]], "fri": [["22:00", "06:00"]]},
    }
)
instants = st.timedeltas(timedelta(0), timedelta(days=23_376)).map(
    lambda passed: datetime(1996, 1, 1, tzinfo=UTC) + passed
)
amounts = st.timedeltas(timedelta(microseconds=1), timedelta(days=90))


@given(instants, amounts)
@settings(max_examples=25, deadline=None)
def test_what_is_added_is_what_lies_between(start, amount) -> None:
    calendar = BusinessCalendar(WEEKLY)

    assert calendar.between(start, calendar.add(start, amount)) == amount


@given(instants, amounts, amounts)
@settings(max_examples=25, deadline=None)
def test_adding_twice_is_adding_the_sum_and_more_time_is_never_sooner(start, first, second) -> None:
    calendar = BusinessCalendar(WEEKLY)

    assert calendar.add(calendar.add(start, first), second) == calendar.add(start, first + second)
    assert calendar.add(start, first) < calendar.add(start, first + second)


@given(st.lists(instants, min_size=3, max_size=3))
@settings(max_examples=25, deadline=None)
def test_stretches_of_time_add_up(points) -> None:
    calendar = BusinessCalendar(WEEKLY)
    points.sort()

    parts = sum((calendar.between(a, b) for a, b in pairwise(points)), timedelta(0))

    assert parts == calendar.between(points[0], points[-1])
