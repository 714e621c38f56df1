"""A month's report as a mail: what it says, and the files that go with it."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from services.reports import charts, csv_files, render
from services.reports.domain.monthly import Monthly, monthly
from services.reports.domain.months import Month
from services.reports.store import Store
from shared.config.models import Desk


@dataclass(frozen=True)
class ReportFile:
    """A file of the report; pictures have a content id and stand in the HTML."""

    name: str
    content_type: str
    data: bytes
    content_id: str = ""


@dataclass(frozen=True)
class Composed:
    """A finished report."""

    subject: str
    text: str
    html: str
    files: tuple[ReportFile, ...]


async def figures(store: Store, desk: Desk, month: Month, zone: ZoneInfo) -> Monthly:
    """The figures of a month as they are known now."""
    span = month.span(zone)
    rows, work = await store.tickets(*span), await store.work(*span)
    return monthly(rows, work, month=month, zone=zone, desk=desk)


async def compose(month: Monthly, desk: Desk) -> Composed:
    """Write and draw it; raises `charts.DrawingError`."""
    pictures = await charts.draw(charts.figures_of(month))
    drawn = tuple(
        ReportFile(f"{name}-{month.month}.png", "image/png", data, render.content_id(name, month))
        for name, data in pictures.items()
    )
    tables = (
        ReportFile(f"tickets-{month.month}.csv", "text/csv", csv_files.tickets_csv(month, desk)),
        ReportFile(f"figures-{month.month}.csv", "text/csv", csv_files.summary_csv(month)),
    )
    return Composed(
        subject=render.subject_of(month),
        text=render.text_of(month),
        html=render.html_of(month, list(pictures)),
        files=drawn + tables,
    )
