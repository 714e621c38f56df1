"""When a monthly report is due; the report's zone decides what a month is."""

from zoneinfo import ZoneInfo

import pytest

from services.reports.domain.months import Month
from services.reports.schedule import due_months
from tests.ticket_history import at

BERLIN = ZoneInfo("Europe/Berlin")


def due(first_seen: str, now: str, zone: ZoneInfo = BERLIN) -> list[str]:
    return [str(month) for month in due_months(at(first_seen), at(now), zone)]


def test_a_month_is_due_ten_minutes_after_it_ended_in_the_reports_zone() -> None:
    assert due("2026-11-15 12:00", "2026-11-30 23:09") == []
    assert due("2026-11-15 12:00", "2026-11-30 23:10") == ["2026-11"]


def test_it_stays_due_until_somebody_has_sent_it() -> None:
    assert due("2026-11-15 12:00", "2026-12-24 12:00") == ["2026-11"]


def test_after_a_long_outage_every_month_is_due_oldest_first() -> None:
    assert due("2026-11-15 12:00", "2027-02-02 12:00") == ["2026-11", "2026-12", "2027-01"]


def test_no_more_than_twelve_months_are_made_up_for() -> None:
    months = due("2020-01-15 12:00", "2026-11-15 12:00")

    assert (len(months), months[0], months[-1]) == (12, "2025-11", "2026-10")


def test_months_before_the_report_was_set_up_are_none_of_its() -> None:
    assert due("2026-11-22 12:00", "2026-11-22 12:00") == []


def test_a_month_has_the_length_that_its_zone_gives_it() -> None:
    start, end = Month(2026, 3).span(BERLIN)

    assert (start, end) == (at("2026-02-28 23:00"), at("2026-03-31 22:00"))


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "November", "0000-01", "2026-11-01"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no month"):
        Month.parse(text)


def test_months_follow_each_other_over_the_year() -> None:
    assert Month(2026, 12).after == Month.parse("2027-01")
    assert Month(2027, 1).before == Month.parse("2026-12")
