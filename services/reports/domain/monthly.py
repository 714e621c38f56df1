"""The figures of one month, from the rows of the tickets that it touched. Pure."""

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from services.reports.domain.months import Month
from services.reports.domain.rows import Rating, Resolution, TargetRow, TicketRow, WorkRow
from shared.config.models import Desk

SATISFIED_FROM = 4  # of 5: "good" and "great"
NOTHING = "(none)"


@dataclass(frozen=True)
class Spread:
    """Durations in seconds; ``p90_s`` is interpolated between neighbours."""

    count: int = 0
    average_s: float = 0.0
    median_s: float = 0.0
    p90_s: float = 0.0

    @classmethod
    def of(cls, seconds: Iterable[float]) -> "Spread":
        """The spread of any number of durations."""
        values = sorted(seconds)
        if not values:
            return cls()
        ranks = statistics.quantiles(values, n=10, method="inclusive") if values[1:] else values
        return cls(len(values), statistics.fmean(values), statistics.median(values), ranks[-1])


@dataclass(frozen=True)
class Compliance:
    """Targets that were met or missed within the month."""

    target: str
    met: int
    missed: int

    @property
    def rate(self) -> float | None:
        """Share in time, 0 to 1; None if none ended."""
        total = self.met + self.missed
        return self.met / total if total else None


@dataclass(frozen=True)
class Satisfaction:
    """Ratings from 1 to 5."""

    count: int = 0
    average: float | None = None
    satisfied: float | None = None

    @classmethod
    def of(cls, ratings: Sequence[Rating]) -> "Satisfaction":
        """Average, and the share of the two best scores, 0 to 1."""
        if not ratings:
            return cls()
        good = sum(rating.score >= SATISFIED_FROM for rating in ratings)
        average = statistics.fmean(rating.score for rating in ratings)
        return cls(len(ratings), average, good / len(ratings))


@dataclass(frozen=True)
class AgentFigures:
    """What one agent did; ``handled`` is the number of tickets answered or resolved."""

    address: str
    name: str
    handled: int
    answers: int
    resolved: int
    open_s: int
    satisfaction: Satisfaction


@dataclass(frozen=True)
class Monthly:
    """All figures of a month."""

    desk: str
    month: Month
    zone: str
    opened: int
    resolved: int
    reopened: int
    open_at_end: int
    first_response: Spread
    first_response_business: Spread
    resolution: Spread
    resolution_business: Spread
    open_time: Spread
    compliance: tuple[Compliance, ...]
    satisfaction: Satisfaction
    agents: tuple[AgentFigures, ...]
    volume: dict[str, tuple[tuple[str, int], ...]]
    by_day: tuple[tuple[int, int, int], ...]
    by_hour: tuple[tuple[int, ...], ...]
    tickets: tuple[TicketRow, ...] = field(repr=False)

    @property
    def overall(self) -> Compliance:
        """All targets together."""
        met = sum(one.met for one in self.compliance)
        return Compliance("all", met, sum(one.missed for one in self.compliance))


@dataclass(frozen=True)
class _Period:
    """A span of time that instants can be asked to be ``in``."""

    start: datetime
    end: datetime

    def __contains__(self, at: object) -> bool:
        return isinstance(at, datetime) and self.start <= at < self.end


def monthly(
    rows: Iterable[TicketRow],
    work: Iterable[WorkRow],
    *,
    month: Month,
    zone: ZoneInfo,
    desk: Desk,
) -> Monthly:
    """Add up a month; what lies outside of it is left out.

    ``rows`` are all tickets opened before its end that changed since its start or are open.
    """
    period = _Period(*month.span(zone))
    known = sorted(rows, key=lambda row: (row.opened_at, row.ticket_id))
    opened = [row for row in known if row.opened_at in period]
    resolutions = [one for row in known for one in row.resolutions if one.at in period]
    answered = [row for row in known if row.first_response_at in period]
    targets = [one for row in known for one in row.targets]
    ratings = [one for row in known for one in row.ratings if one.at in period]
    done = [one for one in work if one.at in period]
    return Monthly(
        desk=desk.name,
        month=month,
        zone=zone.key,
        opened=len(opened),
        resolved=len(resolutions),
        reopened=sum(at in period for row in known for at in row.reopenings),
        open_at_end=sum(_is_open(row, period.end) for row in known),
        first_response=Spread.of(_seconds(r.opened_at, r.first_response_at) for r in answered),
        first_response_business=_used(targets, "first-response", period),
        resolution=Spread.of(_seconds(one.since, one.at) for one in resolutions),
        resolution_business=_used(targets, "resolution", period),
        open_time=Spread.of(one.open_s for one in resolutions),
        compliance=_compliance(targets, period),
        satisfaction=Satisfaction.of(ratings),
        agents=_agents(done, resolutions, ratings, desk),
        volume=_volume(opened, desk),
        by_day=_by_day(opened, resolutions, month, zone),
        by_hour=_by_hour(opened, zone),
        tickets=tuple(row for row in known if _touches(row, period)),
    )


def _seconds(start: datetime, end: datetime | None) -> float:
    return (end - start).total_seconds() if end else 0.0


def _is_open(row: TicketRow, at: datetime) -> bool:
    """Whether the ticket was open just before the instant."""
    if row.opened_at >= at:
        return False
    starts = [row.opened_at, *(one for one in row.reopenings if one < at)]
    ends = [one.at for one in row.resolutions] + ([row.closed_at] if row.closed_at else [])
    return not any(max(starts) <= end < at for end in ends)


def _touches(row: TicketRow, period: _Period) -> bool:
    instants = [row.opened_at, row.first_response_at, row.closed_at, *row.reopenings]
    instants += [one.at for one in row.resolutions] + [one.at for one in row.ratings]
    instants += [ended for one in row.targets for ended in (one.ended_at, one.breached_at)]
    return any(at in period for at in instants)


def _used(targets: Iterable[TargetRow], target: str, period: _Period) -> Spread:
    return Spread.of(
        one.used_s
        for one in targets
        if one.target == target and one.used_s is not None and one.ended_at in period
    )


def _compliance(targets: Iterable[TargetRow], period: _Period) -> tuple[Compliance, ...]:
    """A missed target counts in the month of its due time, a met one in that of its end."""
    met: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for one in targets:
        if one.breached_at in period:
            missed[one.target] += 1
        elif one.breached_at is None and one.ended_at in period:
            met[one.target] += 1
    return tuple(Compliance(name, met[name], missed[name]) for name in sorted(met | missed))


def _agents(
    work: Sequence[WorkRow],
    resolutions: Sequence[Resolution],
    ratings: Sequence[Rating],
    desk: Desk,
) -> tuple[AgentFigures, ...]:
    addresses = {one.agent for one in work} | {one.agent for one in resolutions}
    addresses |= {one.agent for one in ratings}
    figures = []
    for address in sorted(addresses - {""}):
        own = [one for one in work if one.agent == address and one.kind != "note"]
        solved = [one for one in resolutions if one.agent == address]
        agent = desk.agents_by_address.get(address)
        figures.append(
            AgentFigures(
                address=address,
                name=agent.name if agent else address,
                handled=len({one.ticket_id for one in own}),
                answers=sum(one.kind == "answer" for one in own),
                resolved=len(solved),
                open_s=sum(one.open_s for one in solved),
                satisfaction=Satisfaction.of([r for r in ratings if r.agent == address]),
            )
        )
    return tuple(sorted(figures, key=lambda one: (-one.handled, one.name)))


def _volume(opened: Sequence[TicketRow], desk: Desk) -> dict[str, tuple[tuple[str, int], ...]]:
    departments = {box.address: box.department for box in desk.mailboxes}
    counts = {
        "category": Counter(row.category or NOTHING for row in opened),
        "department": Counter(departments.get(row.mailbox) or row.mailbox for row in opened),
        "source": Counter(row.source or NOTHING for row in opened),
        "team": Counter(row.team or NOTHING for row in opened),
        "priority": Counter(row.priority or NOTHING for row in opened),
    }
    return {
        name: tuple(sorted(counter.items(), key=lambda item: (-item[1], item[0])))
        for name, counter in counts.items()
    }


def _by_day(
    opened: Sequence[TicketRow], resolutions: Sequence[Resolution], month: Month, zone: ZoneInfo
) -> tuple[tuple[int, int, int], ...]:
    """Day of the month, tickets opened, tickets resolved."""
    came = Counter(row.opened_at.astimezone(zone).day for row in opened)
    went = Counter(one.at.astimezone(zone).day for one in resolutions)
    return tuple((day, came[day], went[day]) for day in range(1, month.days + 1))


def _by_hour(opened: Sequence[TicketRow], zone: ZoneInfo) -> tuple[tuple[int, ...], ...]:
    """Tickets opened by weekday, from Monday, and hour of the day."""
    local = [row.opened_at.astimezone(zone) for row in opened]
    counts = Counter((at.weekday(), at.hour) for at in local)
    return tuple(tuple(counts[day, hour] for hour in range(24)) for day in range(7))
