"""Open time against a judge that looks at every minute: random cases through ``postdesk sla``.

``python -m tests.bench.calendars [--cases 100000] [--seed 1]`` prints differences and rates; exit
code 1 if there is a difference. The judge shares no code with the calendar: it knows the words of
the configuration, asks ``zoneinfo`` for the wall clock of each minute, and counts.
"""

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import numpy as np

Case = dict[str, Any]

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "Australia/Lord_Howe",
    "Africa/Casablanca", "Pacific/Apia", "Asia/Kathmandu", "America/Havana", "America/Sao_Paulo",
)  # fmt: skip
YEARS = (2006, 2011, 2024, 2026, 2031)
COUNTRIES = (("DE", "BE"), ("DE", ""), ("US", ""), ("FR", ""), ("GB", "SCT"))
DAY = 1440
LONGEST = 60 * DAY
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Judge:
    """The definition word by word, one minute at a time."""

    def __init__(self, rules: Case) -> None:
        self._rules = rules
        self._days: dict[int, np.ndarray[Any, Any]] = {}
        self._holidays = _holidays(*(rules.get("holidays") or {}).values())

    def open_minutes(self, first: int, count: int) -> np.ndarray[Any, Any]:
        """Which of the minutes since 1970 from ``first`` on are open."""
        local = np.arange(first, first + count) + _offsets(self._rules["timezone"], first, count)
        day, minute = local // DAY, local % DAY
        flags = np.zeros(count, dtype=bool)
        for one in np.unique(day):
            at = day == one
            flags[at] = self._day(int(one))[minute[at]]
        return flags

    def _day(self, number: int) -> np.ndarray[Any, Any]:
        if number not in self._days:
            flags = np.zeros(DAY, dtype=bool)
            today = date(1970, 1, 1) + timedelta(days=number)
            if not self._is_closed(today):
                for begins, ends in self._periods(today):
                    flags[begins : ends if ends > begins else DAY] = True
                for begins, ends in self._periods(today - timedelta(days=1)):
                    if ends <= begins:
                        flags[:ends] = True
            self._days[number] = flags
        return self._days[number]

    def _periods(self, day: date) -> Iterator[tuple[int, int]]:
        if self._is_closed(day):
            return
        opened = self._rules.get("open", {})
        week = self._week(day)
        default = [["00:00", "24:00"]] if week == "always" else week.get(DAYS[day.weekday()], [])
        given = opened.get(f"{day:%Y-%m-%d}", opened.get(f"{day:%m-%d}", default))
        for begins, ends in given:
            yield _minutes(begins), _minutes(ends)

    def _week(self, day: date) -> Any:
        for season in self._rules.get("seasons", []):
            if _is_within(day, season["from"], season["until"]):
                return season["week"]
        return self._rules["week"]

    def _is_closed(self, day: date) -> bool:
        closed = self._rules.get("closed", [])
        if any(_is_within(day, *(span.split("/") * 2)[:2]) for span in closed):
            return True
        opened = self._rules.get("open", {})
        is_opened = f"{day:%Y-%m-%d}" in opened or f"{day:%m-%d}" in opened
        return not is_opened and day in self._holidays


def expected(case: Case) -> Case:
    """What the answer must be."""
    judge = Judge(case["calendar"])
    start = datetime.fromisoformat(case["from"])
    offset_s = int((start - EPOCH).total_seconds())
    first, into_s = divmod(offset_s, 60)
    if "to" in case:
        length_s = int((datetime.fromisoformat(case["to"]) - start).total_seconds())
        flags = judge.open_minutes(first, length_s // 60 + 2)
        return {"business_s": _counted(flags, into_s, into_s + length_s)}
    flags = judge.open_minutes(first, LONGEST)
    wanted = case["add_s"]
    if wanted == 0:
        return {"due_at": _iso(offset_s)}
    before = np.cumsum(flags) * 60
    skipped = into_s if flags[0] else 0
    at = int(np.searchsorted(before, wanted + skipped))
    if at == LONGEST:
        return {"too": "long"}
    missing = wanted + skipped - (int(before[at - 1]) if at else 0)
    return {"due_at": _iso((first + at) * 60 + missing)}


def random_case(chance: random.Random) -> Case:
    """A calendar and a question about it, near a change of its clocks more often than not."""
    start = datetime(chance.choice(YEARS), 1, 1, tzinfo=UTC)
    near = chance.choice(((2, 20), (85, 15), (300, 12), (355, 8), (0, 300)))
    start += timedelta(days=near[0], seconds=chance.randrange(near[1] * 86_400))
    case: Case = {"calendar": _random_calendar(chance, start), "from": start.isoformat()}
    if chance.random() < 0.5:
        length = timedelta(seconds=chance.randrange(20 * 86_400))
        return {**case, "to": (start + length).isoformat()}
    return {**case, "add_s": chance.choice((0, 1, 1800, 14_400, 28_800, chance.randrange(200_000)))}


def _random_calendar(chance: random.Random, start: datetime) -> Case:
    def day() -> str:
        on = start + timedelta(days=chance.randrange(-2, 12))
        return f"{on:%m-%d}" if chance.random() < 0.4 else f"{on:%Y-%m-%d}"

    def span() -> tuple[str, str]:
        first = start + timedelta(days=chance.randrange(-20, 12))
        last = first + timedelta(days=chance.randrange(14))
        form = "%m-%d" if chance.random() < 0.5 else "%Y-%m-%d"
        return f"{first:{form}}", f"{last:{form}}"

    rules: Case = {"timezone": chance.choice(ZONES), "week": _random_week(chance)}
    if chance.random() < 0.5:
        country, subdivision = chance.choice(COUNTRIES)
        rules["holidays"] = {"country": country} | (
            {"subdivision": subdivision} if subdivision else {}
        )
    rules["closed"] = [day() for _ in range(chance.randrange(3))]
    if chance.random() < 0.2:
        rules["closed"].append("/".join(span()))
    rules["open"] = {day(): _random_periods(chance) for _ in range(chance.randrange(3))}
    if chance.random() < 0.3:
        first, last = span()
        rules["seasons"] = [{"from": first, "until": last, "week": _random_week(chance)}]
    return rules


def _random_week(chance: random.Random) -> Any:
    if chance.random() < 0.1:
        return "always"
    return {day: _random_periods(chance) for day in DAYS if chance.random() < 0.8}


def _random_periods(chance: random.Random) -> list[list[str]]:
    found = []
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        begins, ends = chance.randrange(DAY), chance.randrange(1, DAY + 1)
        if begins != ends:
            found.append([f"{begins // 60:02}:{begins % 60:02}", f"{ends // 60:02}:{ends % 60:02}"])
    return found


def _is_within(day: date, first: str, last: str) -> bool:
    if len(first) > 5:
        return first <= f"{day:%Y-%m-%d}" <= last
    on = f"{day:%m-%d}"
    return first <= on <= last if first <= last else on >= first or on <= last


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def _counted(flags: np.ndarray[Any, Any], start_s: int, end_s: int) -> int:
    """Open seconds of an array of minutes between two seconds of it."""
    seconds = int(flags[: end_s // 60].sum()) * 60 + (end_s % 60 if flags[end_s // 60] else 0)
    return seconds - (start_s if flags[0] else 0)


def _iso(since_s: int) -> str:
    return (EPOCH + timedelta(seconds=since_s)).isoformat().replace("+00:00", "Z")


def _offsets(name: str, first: int, count: int) -> np.ndarray[Any, Any]:
    """Minutes from UTC to the wall clock of each minute."""
    months = range(first // (30 * DAY), (first + count - 1) // (30 * DAY) + 1)
    whole = np.concatenate([_month(name, month) for month in months])
    begin = first - months[0] * 30 * DAY
    return whole[begin : begin + count]


@cache
def _month(name: str, month: int) -> np.ndarray[Any, Any]:
    zone = _zone(name)
    begin = EPOCH + timedelta(days=30 * month)
    told = (
        (begin + timedelta(minutes=n)).astimezone(zone).utcoffset() or timedelta()
        for n in range(30 * DAY)
    )
    return np.fromiter((t.total_seconds() // 60 for t in told), dtype=np.int64, count=30 * DAY)


@cache
def _zone(name: str) -> ZoneInfo:
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as table:
        return ZoneInfo.from_file(table)


@cache
def _holidays(country: str = "", subdivision: str = "") -> Any:
    return holidays.country_holidays(country, subdiv=subdivision or None) if country else {}


def main() -> int:
    """Compare, and say how fast the command answered."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    cases = [random_case(chance) for _ in range(options.cases)]
    wanted = [expected(case) for case in cases]
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    command = [sys.executable, "-m", "deploy.cli", "sla", "deadline", "--batch"]
    begun = time.perf_counter()
    told = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
    took_s = time.perf_counter() - begun
    answers = list(map(json.loads, told.stdout.splitlines()))
    compared = [n for n, answer in enumerate(wanted) if "too" not in answer]
    wrong = [n for n in compared if answers[n] != wanted[n]]
    for n in wrong[:5]:
        print(json.dumps(cases[n]), "expected", wanted[n], "told", answers[n])
    rate = len(cases) / took_s
    print(f"{len(compared)} compared, {len(wrong)} differ, {rate:.0f} cases/s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
