"""The figures of a month."""

from zoneinfo import ZoneInfo

import pytest

from services.reports.domain.monthly import Monthly, Spread, monthly
from services.reports.domain.months import Month
from services.reports.domain.rows import Rating, Resolution, TargetRow, TicketRow, WorkRow
from shared.config.models import Desk
from tests.ticket_history import at

BERLIN = ZoneInfo("Europe/Berlin")
DESK = Desk.model_validate(
    {
        "name": "Example",
        "host": "desk.example",
        "mailboxes": [
            {
                "address": "support@desk.example",
                "brand": "Example",
                "team": "support",
                "department": "technical",
            }
        ],
        "teams": [{"name": "support", "members": ["ana@x.example"]}],
        "agents": [
            {"address": "ana@x.example", "name": "Ana"},
            {"address": "ben@x.example", "name": "Ben"},
        ],
    }
)


def ticket(number: int, opened: str, **fields: object) -> TicketRow:
    defaults = {
        "mailbox": "support@desk.example",
        "updated_at": at(opened),
        "started_at": at(opened),
    }
    return TicketRow.model_validate(
        {
            "ticket_id": f"T-{number}",
            "seq": 1,
            "opened_at": at(opened),
            "status_since": at(opened),
            **defaults,
            **fields,
        }
    )


def solved(when: str, since: str, agent: str = "ana@x.example", open_s: int = 60) -> Resolution:
    return Resolution(at=at(when), since=at(since), agent=agent, open_s=open_s)


def work(
    number: int, when: str, agent: str = "ana@x.example", kind: str = "answer", seq: int = 2
) -> WorkRow:
    return WorkRow.model_validate(
        {
            "id": f"T-{number}.{seq}",
            "ticket_id": f"T-{number}",
            "seq": seq,
            "agent": agent,
            "kind": kind,
            "at": at(when),
        }
    )


def november(rows: list[TicketRow], done: list[WorkRow] | None = None) -> Monthly:
    return monthly(rows, done or [], month=Month(2026, 11), zone=BERLIN, desk=DESK)


def test_a_spread_has_average_median_and_the_ninth_tenth() -> None:
    spread = Spread.of([10, 20, 30, 40, 50, 60, 70, 80, 90, 200])

    assert (spread.count, spread.average_s, spread.median_s) == (10, 65, 55)
    assert spread.p90_s == pytest.approx(101)


def test_a_spread_of_one_or_none_is_no_error() -> None:
    assert Spread.of([]).count == 0
    assert Spread.of([7]).p90_s == 7


def test_days_belong_to_the_month_of_the_reports_zone() -> None:
    last_hour = ticket(1, "2026-10-31 23:30")
    too_late = ticket(2, "2026-11-30 23:30")

    figures = november([last_hour, too_late])

    assert figures.opened == 1
    assert figures.by_day[0] == (1, 1, 0)
    assert len(figures.by_day) == 30


def test_what_happened_in_the_month_counts_whenever_the_ticket_was_opened() -> None:
    row = ticket(
        1,
        "2026-10-30 10:00",
        first_response_at=at("2026-11-02 10:00"),
        resolutions=[solved("2026-11-03 10:00", "2026-10-30 10:00")],
    )

    figures = november([row])

    assert (figures.opened, figures.resolved) == (0, 1)
    assert figures.first_response.average_s == 3 * 86_400
    assert figures.resolution.average_s == 4 * 86_400


def test_compliance_counts_each_target_once_a_breach_in_the_month_it_was_due() -> None:
    met = TargetRow(target="first-response", cycle=1, ended_at=at("2026-11-05 10:00"), used_s=600)
    late = TargetRow(
        target="resolution",
        cycle=1,
        ended_at=at("2026-12-02 10:00"),
        breached_at=at("2026-11-06 10:00"),
    )
    running = TargetRow(target="resolution", cycle=2)

    figures = november([ticket(1, "2026-11-05 09:00", targets=[met, late, running])])

    assert [(one.target, one.met, one.missed) for one in figures.compliance] == [
        ("first-response", 1, 0),
        ("resolution", 0, 1),
    ]
    assert figures.overall.rate == 0.5
    assert figures.first_response_business.median_s == 600


def test_no_target_that_ended_gives_no_rate() -> None:
    assert november([]).overall.rate is None


def test_an_agent_handled_each_ticket_once_and_notes_are_no_handling() -> None:
    row = ticket(
        1,
        "2026-11-05 09:00",
        resolutions=[solved("2026-11-05 12:00", "2026-11-05 09:00", open_s=900)],
    )
    done = [
        work(1, "2026-11-05 10:00"),
        work(1, "2026-11-05 12:00", kind="resolution", seq=3),
        work(2, "2026-11-06 10:00", kind="note"),
        work(2, "2026-12-06 10:00", seq=9),
        work(1, "2026-11-05 10:30", agent="ben@x.example", kind="note", seq=4),
    ]

    ana, ben = november([row], done).agents

    assert (ana.name, ana.handled, ana.answers, ana.resolved, ana.open_s) == ("Ana", 1, 1, 1, 900)
    assert (ben.name, ben.handled) == ("Ben", 0)


def test_satisfaction_is_told_in_all_and_by_agent() -> None:
    ratings = [
        Rating(cycle=1, score=5, at=at("2026-11-05 10:00"), agent="ana@x.example"),
        Rating(cycle=2, score=2, at=at("2026-11-06 10:00"), agent="ben@x.example"),
        Rating(cycle=3, score=1, at=at("2026-12-06 10:00"), agent="ben@x.example"),
    ]

    figures = november([ticket(1, "2026-11-01 10:00", ratings=ratings)])

    assert (figures.satisfaction.count, figures.satisfaction.average) == (2, 3.5)
    assert figures.satisfaction.satisfied == 0.5
    assert {one.address: one.satisfaction.average for one in figures.agents} == {
        "ana@x.example": 5,
        "ben@x.example": 2,
    }


def test_volume_is_told_by_what_the_ticket_is_about_and_where_it_came_in() -> None:
    rows = [
        ticket(1, "2026-11-02 09:30", category="fault", priority="high"),
        ticket(2, "2026-11-02 09:40", category="fault", source="phone"),
        ticket(3, "2026-11-03 10:30"),
    ]

    figures = november(rows)

    assert figures.volume["category"] == (("fault", 2), ("(none)", 1))
    assert figures.volume["department"] == (("technical", 3),)
    assert figures.volume["source"] == (("mail", 2), ("phone", 1))
    assert figures.by_hour[0][10] == 2
    assert figures.by_hour[1][11] == 1


def test_open_at_the_end_is_what_nobody_had_solved_by_then() -> None:
    rows = [
        ticket(1, "2026-09-01 10:00"),
        ticket(2, "2026-11-02 10:00", resolutions=[solved("2026-12-02 10:00", "2026-11-02 10:00")]),
        ticket(3, "2026-11-02 10:00", resolutions=[solved("2026-11-02 11:00", "2026-11-02 10:00")]),
        ticket(4, "2026-11-02 10:00", closed_at=at("2026-11-03 10:00")),
        ticket(
            5,
            "2026-11-02 10:00",
            resolutions=[solved("2026-11-02 11:00", "2026-11-02 10:00")],
            reopenings=[at("2026-11-29 10:00")],
        ),
        ticket(6, "2026-12-02 10:00"),
    ]

    figures = november(rows)

    assert figures.open_at_end == 3
    assert figures.reopened == 1
    assert [row.ticket_id for row in figures.tickets] == ["T-2", "T-3", "T-4", "T-5"]
