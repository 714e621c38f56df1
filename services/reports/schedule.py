"""When a report is due. Time is a value here; `ReportSender` is asked by the service to look."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.reports.domain.months import Month

AFTER_MIDNIGHT = timedelta(minutes=10)
"""Leaves time for the month's last events on their way."""
MOST_MONTHS = 12


def due_months(first_seen: datetime, now: datetime, zone: ZoneInfo) -> list[Month]:
    """Months whose report is to have been sent by now, oldest first; at most the last twelve.

    Due is 00:10 on the 1st of the month after. Months that were over when the report was first
    seen in the configuration are none of its.
    """
    month = Month.of(now, zone).before
    if send_at(month, zone) > now:
        month = month.before
    found: list[Month] = []
    while send_at(month, zone) > first_seen and len(found) < MOST_MONTHS:
        found.append(month)
        month = month.before
    return found[::-1]


def send_at(month: Month, zone: ZoneInfo) -> datetime:
    """When the report of that month is due."""
    return month.span(zone)[1] + AFTER_MIDNIGHT
