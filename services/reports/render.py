"""A month's report in words: HTML with its pictures by content id, and the same as plain text."""

from collections.abc import Collection
from datetime import date
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from services.reports.domain.monthly import Monthly

_TEMPLATES = Path(__file__).parent / "templates"
_MOST_ROWS = 12


def subject_of(month: Monthly) -> str:
    """The subject of the mail."""
    return f"Support report for {month_name(month)}"


def month_name(month: Monthly) -> str:
    """``November 2026``."""
    return f"{date(month.month.year, month.month.number, 1):%B %Y}"


def html_of(month: Monthly, pictures: Collection[str]) -> str:
    """The HTML; ``pictures`` names the charts that there are, each shown as ``cid:``."""
    shown = {name: content_id(name, month) for name in pictures}
    return _template("monthly.html").render(_values(month), pictures=shown)


def text_of(month: Monthly) -> str:
    """The same in plain text."""
    return _template("monthly.txt").render(_values(month))


def content_id(picture: str, month: Monthly) -> str:
    """The Content-ID of a picture (RFC 2392), without angle brackets."""
    return f"{picture}.{month.month}@report"


def _values(month: Monthly) -> dict[str, object]:
    return {
        "month": month,
        "title": subject_of(month),
        "name": month_name(month),
        "most": _MOST_ROWS,
        "times": [
            ("First response", month.first_response),
            ("… in business time", month.first_response_business),
            ("Resolution", month.resolution),
            ("… in business time", month.resolution_business),
            ("Open, without waiting", month.open_time),
        ],
    }


@cache
def _template(name: str) -> Template:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=name.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"duration": duration, "percent": percent, "stars": stars}
    return environment.get_template(name)


def duration(seconds: float) -> str:
    """``45 s``, ``12 m``, ``53 h 20 m``: never days, as a business day has no one length."""
    minutes = round(seconds / 60)
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{round(seconds)} s"
    if minutes < 60:  # noqa: PLR2004 - an hour
        return f"{minutes} m"
    return f"{minutes // 60} h {minutes % 60:02} m"


def percent(share: float | None) -> str:
    """``97 %``, rounded down, so that 100 % means all; a dash for none."""
    return "–" if share is None else f"{int(share * 100)} %"


def stars(average: float | None) -> str:
    """``4.6``; a dash for none."""
    return "–" if average is None else f"{average:.1f}"
