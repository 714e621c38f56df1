"""The figures and the tickets of a month as CSV, for spreadsheets."""

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime
from io import StringIO
from zoneinfo import ZoneInfo

from services.reports.domain.monthly import Monthly, Spread
from services.reports.domain.rows import TicketRow
from shared.config.models import Desk

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_TICKET_COLUMNS = (
    "ticket",
    "subject",
    "status",
    "priority",
    "category",
    "source",
    "department",
    "team",
    "assignee",
    "requester",
    "account",
    "opened_at",
    "first_response_at",
    "resolved_at",
    "first_response_s",
    "resolution_s",
    "open_s",
    "waiting_s",
    "reopened",
    "targets_met",
    "targets_missed",
    "rating",
    "comment",
)


def tickets_csv(month: Monthly, desk: Desk) -> bytes:
    """One line for each ticket of the month; times in the report's zone, durations in seconds."""
    departments = {box.address: box.department for box in desk.mailboxes}
    zone = ZoneInfo(month.zone)
    return _csv(_TICKET_COLUMNS, (_ticket(row, departments, zone) for row in month.tickets))


def summary_csv(month: Monthly) -> bytes:
    """The figures of the report, one to a line: section, name, measure, value."""
    return _csv(("section", "name", "measure", "value"), _summary(month))


def _ticket(row: TicketRow, departments: dict[str, str], zone: ZoneInfo) -> list[object]:
    last = row.resolutions[-1] if row.resolutions else None
    rating = row.ratings[-1] if row.ratings else None
    missed = sum(one.breached_at is not None for one in row.targets)
    ended = sum(one.ended_at is not None and one.breached_at is None for one in row.targets)
    return [
        row.ticket_id,
        row.subject,
        row.status,
        row.priority,
        row.category,
        row.source,
        departments.get(row.mailbox, ""),
        row.team,
        row.assignee,
        row.requester,
        row.account_id,
        _time(row.opened_at, zone),
        _time(row.first_response_at, zone),
        _time(last.at if last else None, zone),
        _seconds(row.opened_at, row.first_response_at),
        _seconds(last.since, last.at) if last else "",
        row.open_s,
        row.waiting_s,
        len(row.reopenings),
        ended,
        missed,
        rating.score if rating else "",
        rating.comment if rating else "",
    ]


def _summary(month: Monthly) -> Iterable[Sequence[object]]:
    for name in ("opened", "resolved", "reopened", "open_at_end"):
        yield "tickets", name, "count", getattr(month, name)
    for name in (
        "first_response",
        "first_response_business",
        "resolution",
        "resolution_business",
        "open_time",
    ):
        yield from _spread(name, getattr(month, name))
    for one in (*month.compliance, month.overall):
        yield "sla", one.target, "met", one.met
        yield "sla", one.target, "missed", one.missed
        yield "sla", one.target, "rate", _ratio(one.rate)
    yield "satisfaction", "all", "ratings", month.satisfaction.count
    yield "satisfaction", "all", "average", _ratio(month.satisfaction.average)
    yield "satisfaction", "all", "satisfied", _ratio(month.satisfaction.satisfied)
    for agent in month.agents:
        for measure in ("handled", "answers", "resolved", "open_s"):
            yield "agent", agent.address, measure, getattr(agent, measure)
        yield "agent", agent.address, "ratings", agent.satisfaction.count
        yield "agent", agent.address, "rating_average", _ratio(agent.satisfaction.average)
    for dimension, counts in month.volume.items():
        for name, number in counts:
            yield dimension, name, "opened", number


def _spread(name: str, spread: Spread) -> Iterable[Sequence[object]]:
    yield "time", name, "count", spread.count
    yield "time", name, "average_s", round(spread.average_s)
    yield "time", name, "median_s", round(spread.median_s)
    yield "time", name, "p90_s", round(spread.p90_s)


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _time(at: datetime | None, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(timespec="seconds") if at else ""


def _seconds(start: datetime, end: datetime | None) -> object:
    return round((end - start).total_seconds()) if end else ""


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """UTF-8 with a mark that spreadsheets know; cells cannot be formulas (OWASP, CSV injection)."""
    file = StringIO()
    writer = csv.writer(file)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_harmless(cell) for cell in row])
    return file.getvalue().encode("utf-8-sig")


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
