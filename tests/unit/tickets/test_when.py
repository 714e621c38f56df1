from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from services.tickets.mail_commands import when

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY_NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", "2026-11-23T13:30+00:00"),
        ("2h", "2026-11-23T14:00+00:00"),
        ("3d", "2026-11-26T12:00+00:00"),
        ("5bd", "2026-11-30T12:00+00:00"),
        ("1w", "2026-11-30T12:00+00:00"),
        ("tomorrow", "2026-11-24T08:00+00:00"),
        ("tomorrow 14:30", "2026-11-24T13:30+00:00"),
        ("mon 09:00", "2026-11-30T08:00+00:00"),
        ("Friday", "2026-11-27T08:00+00:00"),
        ("2026-12-31", "2026-12-31T08:00+00:00"),
        ("2026-12-31 17:00", "2026-12-31T16:00+00:00"),
        ("2026-12-31T17:00Z", "2026-12-31T17:00+00:00"),
    ],
)
def test_points_in_time_are_read_in_the_agents_zone(text, expected):
    assert when.read(text, MONDAY_NOON, BERLIN) == datetime.fromisoformat(expected)


@pytest.mark.parametrize("text", ["", "03/04", "04.03.", "soon", "mo"])
def test_what_could_mean_two_dates_or_none_is_refused(text):
    with pytest.raises(when.AmbiguousDateError):
        when.read(text, MONDAY_NOON, BERLIN)
