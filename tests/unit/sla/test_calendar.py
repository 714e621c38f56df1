"""Open time against single cases that anybody can check with a wall calendar."""

from datetime import UTC, datetime, timedelta

import pytest

from services.sla.domain.calendar import BusinessCalendar, CalendarError
from shared.config.sla import Calendar

OFFICE = {
    day: [["09:00", "12:30"], ["13:30", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")
}


def calendar(zone: str = "UTC", week: object = "always", **rest: object) -> BusinessCalendar:
    return BusinessCalendar(Calendar.model_validate({"timezone": zone, "week": week, **rest}))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def test_time_runs_on_over_lunch_and_night_and_weekend() -> None:
    office = calendar("Europe/Berlin", OFFICE)

    due = office.add(at("2026-11-20T16:00:00+01:00"), hours(8))

    assert due == at("2026-11-23T16:00:00+01:00")


def test_a_due_time_may_be_a_closing_time_and_is_never_the_opening_after_it() -> None:
    office = calendar("UTC", OFFICE)

    assert office.add(at("2026-11-20T09:00Z"), hours(8)) == at("2026-11-20T18:00Z")
    assert office.add(at("2026-11-20T09:00Z"), hours(3.5)) == at("2026-11-20T12:30Z")


def test_no_time_added_gives_the_start_itself_though_it_is_closed() -> None:
    sunday = at("2026-11-22T10:00Z")

    assert calendar("UTC", OFFICE).add(sunday, timedelta(0)) == sunday


def test_the_result_is_in_utc_and_exact_to_the_microsecond() -> None:
    due = calendar("Asia/Kolkata", OFFICE).add(
        at("2026-11-20T12:29:59.999998+05:30"), timedelta(microseconds=3)
    )

    assert due == at("2026-11-20T13:30:00.000001+05:30")
    assert due.tzinfo is UTC


def test_an_hour_that_the_clocks_skip_has_no_time() -> None:
    night = calendar("Europe/Berlin", {"sun": [["01:00", "04:00"]]})

    assert night.between(at("2026-03-29T00:00+01:00"), at("2026-03-29T12:00+02:00")) == hours(2)
    assert night.add(at("2026-03-29T01:30+01:00"), hours(1)) == at("2026-03-29T03:30+02:00")


def test_an_hour_that_the_clocks_repeat_counts_twice() -> None:
    night = calendar("Europe/Berlin", {"sun": [["01:00", "04:00"]]})

    assert night.between(at("2026-10-25T00:00+02:00"), at("2026-10-25T12:00+01:00")) == hours(4)


def test_a_period_that_ends_in_a_repeated_hour_opens_twice() -> None:
    night = calendar("Europe/Berlin", {"sun": [["01:00", "02:30"]]})

    assert night.add(at("2026-10-25T02:00+02:00"), hours(0.5)) == at("2026-10-25T02:30+02:00")
    assert night.next_open(at("2026-10-25T02:45+02:00")) == at("2026-10-25T02:00+01:00")
    assert night.between(at("2026-10-25T00:00+02:00"), at("2026-10-25T12:00+01:00")) == hours(2)


def test_a_period_over_midnight_belongs_to_the_day_it_starts_on() -> None:
    nights = calendar("UTC", {"fri": [["22:00", "06:00"]]})

    assert nights.next_open(at("2026-11-20T12:00Z")) == at("2026-11-20T22:00Z")
    assert nights.add(at("2026-11-20T22:00Z"), hours(8)) == at("2026-11-21T06:00Z")
    assert nights.between(at("2026-11-19T00:00Z"), at("2026-11-20T06:00Z")) == hours(0)


def test_a_closing_day_takes_the_tail_of_the_night_before_and_its_own_night() -> None:
    nights = calendar(
        "UTC", {d: [["22:00", "06:00"]] for d in ("thu", "fri", "sat")}, closed=["2026-11-20"]
    )

    assert nights.between(at("2026-11-19T00:00Z"), at("2026-11-21T12:00Z")) == hours(2)


def test_midnight_is_an_end_and_every_day_may_be_open_all_day() -> None:
    week = {d: [["00:00", "24:00"]] for d in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}

    assert calendar("UTC", week).between(at("2026-01-01T00:00Z"), at("2027-01-01T00:00Z")) == hours(
        365 * 24
    )
    assert calendar().add(at("2024-02-28T12:00Z"), hours(48)) == at("2024-03-01T12:00Z")


def test_periods_that_overlap_count_once() -> None:
    both = calendar(
        "UTC", {"mon": [["08:00", "12:00"], ["10:00", "14:00"]], "sun": [["20:00", "09:00"]]}
    )

    assert both.between(at("2026-11-22T00:00Z"), at("2026-11-24T00:00Z")) == hours(18)


def test_public_holidays_are_closed_unless_the_date_is_opened() -> None:
    rules = {
        "holidays": {"country": "DE", "subdivision": "BE"},
        "open": {"2026-12-26": [["10:00", "12:00"]]},
    }
    office = calendar("Europe/Berlin", OFFICE, **rules)

    assert office.next_open(at("2026-12-24T18:00+01:00")) == at("2026-12-26T10:00+01:00")
    assert office.next_open(at("2026-12-26T12:00+01:00")) == at("2026-12-28T09:00+01:00")


def test_opened_dates_replace_the_weekday_and_closed_ones_beat_them() -> None:
    rules = {"open": {"2026-12-24": [["09:00", "13:00"]], "2026-12-23": [["09:00", "13:00"]]}}
    office = calendar("UTC", OFFICE, closed=["12-23"], **rules)

    assert office.between(at("2026-12-23T00:00Z"), at("2026-12-25T00:00Z")) == hours(4)


def test_a_date_may_be_opened_for_no_time_at_all() -> None:
    office = calendar("UTC", OFFICE, open={"2026-11-20": []})

    assert office.next_open(at("2026-11-20T00:00Z")) == at("2026-11-23T09:00Z")


def test_a_half_day_may_come_every_year_and_a_single_date_beats_it() -> None:
    rules = {"open": {"12-24": [["09:00", "13:00"]], "2027-12-24": []}}
    office = calendar("UTC", OFFICE, **rules)

    assert office.between(at("2026-12-24T00:00Z"), at("2026-12-25T00:00Z")) == hours(4)
    assert office.between(at("2027-12-24T00:00Z"), at("2027-12-25T00:00Z")) == hours(0)


def test_closing_days_may_be_given_from_and_until_over_the_new_year() -> None:
    office = calendar("UTC", "always", closed=["12-30/01-01", "2026-08-03/2026-08-05"])

    assert office.next_open(at("2026-12-30T00:00Z")) == at("2027-01-02T00:00Z")
    assert office.next_open(at("2029-12-31T00:00Z")) == at("2030-01-02T00:00Z")
    assert office.next_open(at("2026-08-03T00:00Z")) == at("2026-08-06T00:00Z")
    assert office.next_open(at("2027-08-03T00:00Z")) == at("2027-08-03T00:00Z")


def test_a_season_has_a_week_of_its_own_from_and_until() -> None:
    summer = {"from": "07-01", "until": "08-31", "week": {"wed": [["08:00", "12:00"]]}}
    office = calendar("UTC", OFFICE, seasons=[summer], open={"2026-07-07": [["09:00", "10:00"]]})

    assert office.between(at("2026-06-30T00:00Z"), at("2026-07-01T00:00Z")) == hours(8)
    assert office.between(at("2026-07-01T00:00Z"), at("2026-07-03T00:00Z")) == hours(4)
    assert office.between(at("2026-07-07T00:00Z"), at("2026-07-08T00:00Z")) == hours(1)


def test_the_29th_of_february_can_be_closed_every_year() -> None:
    office = calendar("UTC", "always", closed=["02-29"])

    assert office.between(at("2028-02-28T00:00Z"), at("2028-03-02T00:00Z")) == hours(48)
    assert office.between(at("2027-02-28T00:00Z"), at("2027-03-02T00:00Z")) == hours(48)


def test_a_date_that_a_zone_left_out_has_no_time() -> None:
    samoa = calendar("Pacific/Apia", {"fri": [["08:00", "16:00"]], "thu": [["22:00", "06:00"]]})

    assert samoa.between(at("2011-12-29T00:00-10:00"), at("2012-01-01T00:00+14:00")) == hours(2)


def test_offsets_that_are_no_whole_minutes_are_exact() -> None:
    amsterdam = calendar("Africa/Monrovia", {"mon": [["09:00", "10:00"]]})

    assert amsterdam.next_open(at("1970-01-05T00:00Z")) == at("1970-01-05T09:44:30Z")


def test_a_calendar_that_never_opens_is_an_error_that_says_so() -> None:
    shut = calendar("UTC", {})

    with pytest.raises(CalendarError, match="does not open within 5 years"):
        shut.add(at("2026-11-20T00:00Z"), hours(1))
    with pytest.raises(CalendarError, match="does not open within 5 years"):
        shut.next_open(at("2026-11-20T00:00Z"))
    assert shut.between(at("2026-11-20T00:00Z"), at("2036-11-20T00:00Z")) == hours(0)


def test_a_calendar_that_opens_seldom_goes_on_for_decades() -> None:
    rare = calendar(
        "UTC", {}, open={f"{year}-05-01": [["09:00", "10:00"]] for year in range(2026, 2046, 4)}
    )

    assert rare.add(at("2026-01-01T00:00Z"), hours(5)) == at("2042-05-01T10:00Z")


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ({"week": {"mon": [["09:00", "09:00"]]}}, "is empty"),
        ({"week": {"mon": [["9 am", "17:00"]]}}, "no time of day"),
        ({"week": {"mon": [["09:00", "24:01"]]}}, "no time of day"),
        ({"closed": ["2026-02-30"]}, "no date"),
        ({"closed": ["13-01"]}, "no day of a year"),
        ({"closed": ["12-24/2027-01-02"]}, "with the year or without"),
        ({"closed": ["2026-12-24/2026-12-23"]}, "is before"),
        ({"seasons": [{"from": "13-01", "until": "12-31", "week": {}}]}, "no day of a year"),
        ({"holidays": {"country": "XX"}}, "no public holidays are known of 'XX'"),
        ({"holidays": {"country": "DE", "subdivision": "ZZ"}}, "'DE-ZZ'"),
    ],
)
def test_settings_that_mean_nothing_are_refused(rules: dict[str, object], reason: str) -> None:
    with pytest.raises(CalendarError, match=reason):
        calendar("UTC", **rules)


def test_questions_without_an_answer_are_refused() -> None:
    office = calendar("UTC", OFFICE)

    with pytest.raises(CalendarError, match="is before"):
        office.between(at("2026-11-21T00:00Z"), at("2026-11-20T00:00Z"))
    with pytest.raises(CalendarError, match="negative"):
        office.add(at("2026-11-21T00:00Z"), hours(-1))
    with pytest.raises(CalendarError, match="no time zone"):
        office.next_open(at("2026-11-21T00:00"))
    with pytest.raises(CalendarError, match="years 1 to 9999"):
        office.add(at("9999-11-21T00:00Z"), hours(9999))
