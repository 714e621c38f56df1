"""Which policy is for a ticket and why, and what its targets are counted in."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.sla.domain import clock as clocks
from services.sla.domain.case import Case, follow, traits_of
from services.sla.domain.policy import Customer, Policies, Terms, Traits
from shared.config.models import Desk
from tests.ticket_history import History, at

WEEK = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu")}
NOBODY = Customer()
HOURS = {"normal": {"first_response": "4h", "resolution": "16h"}}


def policy(**given: Any) -> dict[str, Any]:
    return {"calendar": "office", "targets": HOURS, **given}


def desk(policies: dict[str, Any], **sla: Any) -> Desk:
    box = {"brand": "Example", "team": "support"}
    return Desk.model_validate(
        {
            "name": "Example",
            "host": "desk.example",
            "mailboxes": [
                {"address": "support@desk.example", "department": "technical", **box},
                {"address": "billing@desk.example", "department": "billing", **box},
            ],
            "teams": [{"name": "support", "members": ["ana@x.example"]}],
            "agents": [{"address": "ana@x.example", "name": "Ana"}],
            "calendars": {
                "office": {"timezone": "UTC", "week": {**WEEK, "fri": [["09:00", "15:00"]]}},
                "night": {"timezone": "UTC", "week": {"mon": [["22:00", "06:00"]]}, "day": "4h"},
            },
            "sla": {"policies": policies, **sla},
        }
    )


def terms(of: Desk, customer: Customer = NOBODY, **traits: str) -> Terms:
    given = {"priority": "normal", "mailbox": "support@desk.example", **traits}
    found = Policies(of).terms(Traits(**given), customer)
    assert found is not None
    return found


ALL = desk(
    {
        "default": policy(),
        "billing": policy(departments=["billing"]),
        "fibre": policy(services=["fibre"]),
        "premium": policy(segments=["premium"]),
        "premium billing": policy(segments=["premium"], departments=["billing"]),
        "contract": policy(accounts=["A-7"]),
        "too late": policy(accounts=["A-7"]),
    }
)
BILLING = "billing@desk.example"


@pytest.mark.feature("S01")
@pytest.mark.parametrize(
    ("traits", "segment", "name", "rule"),
    [
        ({}, "", "default", "default"),
        ({"mailbox": BILLING}, "", "billing", "department billing"),
        ({"mailbox": BILLING, "service": "fibre"}, "", "fibre", "service fibre"),
        ({"service": "fibre"}, "premium", "premium", "segment premium"),
        (
            {"mailbox": BILLING},
            "premium",
            "premium billing",
            "segment premium and department billing",
        ),
        ({"mailbox": BILLING, "account_id": "A-7"}, "premium", "contract", "account A-7"),
        ({"account_id": "A-8"}, "basic", "default", "default"),
        ({"account_id": "A-7", "sla_policy": "fibre"}, "premium", "fibre", "a rule of routing"),
        ({"account_id": "A-7", "sla_policy": "is gone"}, "premium", "contract", "account A-7"),
    ],
)
def test_the_most_specific_policy_counts_and_says_why(
    traits: dict[str, str], segment: str, name: str, rule: str
) -> None:
    found = terms(ALL, Customer(segment), **traits)

    assert (found.policy, found.rule) == (name, rule)


def test_a_ticket_that_no_policy_fits_has_no_terms() -> None:
    only = desk({"premium": policy(segments=["premium"])})

    assert Policies(only).terms(Traits(priority="normal")) is None


@pytest.mark.feature("S02")
def test_the_calendar_is_the_accounts_else_the_departments_else_the_policys() -> None:
    several = desk(
        {"default": policy(calendar="office")},
        department_calendars={"billing": "night"},
        account_calendars={"A-7": "office"},
    )

    assert terms(several).goals["resolution"].calendar == "office"
    assert terms(several, mailbox=BILLING).goals["resolution"].calendar == "night"
    assert terms(several, mailbox=BILLING, account_id="A-7").goals["resolution"].calendar == "office"  # fmt: skip


@pytest.mark.feature("S02")
def test_hours_may_be_those_of_the_customers_zone() -> None:
    local = desk({"default": policy(timezone="customer")})

    goal = terms(local, Customer(timezone="Asia/Tokyo")).goals["first-response"]

    assert (goal.calendar, goal.timezone) == ("office", "Asia/Tokyo")
    assert goal.measure.next_open(at("2026-11-16 00:30")) == at("2026-11-16 00:30")
    assert terms(local).goals["first-response"].timezone == ""


@pytest.mark.parametrize(
    ("written", "seconds", "calendar", "said"),
    [
        ("7d", 7 * 86_400, "office", ""),
        ("7 calendar days", 7 * 86_400, "", "7 calendar days"),
        ("7cd", 7 * 86_400, "", "7 calendar days"),
        ("7 business days", 7 * 8 * 3600, "office", "7 business days"),
        ("1bd", 8 * 3600, "office", "1 business day"),
    ],
)
def test_seven_days_are_hours_of_the_clock_or_calendar_days_or_business_days(
    written: str, seconds: int, calendar: str, said: str
) -> None:
    days = {"normal": {"first_response": "4h", "resolution": written}}

    goal = terms(desk({"default": policy(targets=days)})).goals["resolution"]

    assert (goal.seconds, goal.calendar, goal.said) == (seconds, calendar, said)


def test_business_days_are_business_days_on_a_calendar_clock_too() -> None:
    days = {"normal": {"first_response": "4h", "resolution": "2bd"}}
    found = terms(desk({"default": policy(targets=days, clock="calendar", calendar="night")}))

    assert found.goals["first-response"].calendar == ""
    assert found.goals["resolution"].seconds == 2 * 4 * 3600


def test_days_of_no_kind_are_refused() -> None:
    with pytest.raises(ValidationError, match="write durations as"):
        desk({"default": policy(targets={"normal": {"first_response": "4h", "resolution": "7 days"}})})  # fmt: skip


def followed(of: Desk, history: History) -> Case:
    case = None
    for event in history.events:
        case = follow(case, event, Policies(of).terms(traits_of(event)))
    assert case is not None
    return case


def states(case: Case) -> dict[str, str]:
    return {clock.target: clock.state for clock in case.clocks}


@pytest.mark.feature("S03")
def test_each_status_may_stop_other_clocks() -> None:
    rules = {"pending": ["resolution"], "on-hold": ["first-response", "resolution"]}
    history = History("2026-11-16 09:00")
    history.status("2026-11-16 10:00", "pending")
    of = desk({"default": policy(pause_on=rules)})

    assert states(followed(of, history)) == {"first-response": "running", "resolution": "paused"}
    history.status("2026-11-16 11:00", "on-hold")
    assert states(followed(of, history)) == {"first-response": "paused", "resolution": "paused"}
    history.status("2026-11-16 12:00", "open")
    assert states(followed(of, history)) == {"first-response": "running", "resolution": "running"}


@pytest.mark.feature("S05")
def test_a_customers_later_message_may_wait_for_the_configured_idle_time() -> None:
    history = History("2026-11-16 09:00")
    history.agent_answers("2026-11-16 10:00")
    history.customer_writes("2026-11-16 11:00")
    of = desk({"default": policy(idle="2h")})

    waiting = followed(of, history).clocks[-1]

    assert (waiting.target, waiting.due_at) == ("next-response", at("2026-11-16 13:00"))


@pytest.mark.feature("S04")
def test_amber_begins_at_a_share_or_a_time_left_whichever_is_first() -> None:
    history = History("2026-11-16 09:00")
    by_share = desk({"default": policy(amber=0.5, amber_left="1h")})
    by_time = desk({"default": policy(amber=0.5, amber_left="3h")})

    assert followed(by_share, history).clocks[0].warn_at == at("2026-11-16 11:00")
    assert followed(by_time, history).clocks[0].warn_at == at("2026-11-16 10:00")


LADDER = [
    {"name": "half", "used": 0.5},
    {"name": "hour-before", "left": "1h"},
    {"name": "breach", "late": 0, "notify": ["manager"]},
    {"name": "two-hours", "late": "2h"},
    {"name": "two-real-hours", "late": "2h", "clock": "real"},
    {"name": "responses", "late": "1h", "targets": ["next-response"]},
]


@pytest.mark.feature("S05")
def test_steps_of_the_ladder_are_reached_in_business_or_in_real_time() -> None:
    of = desk({"default": policy(steps=LADDER)})
    first = followed(of, History("2026-11-16 12:00")).clocks[0]

    assert first.due_at == at("2026-11-16 16:00")
    assert dict(first.steps) == {
        "half": at("2026-11-16 14:00"),
        "hour-before": at("2026-11-16 15:00"),
        "two-hours": at("2026-11-17 10:00"),
        "two-real-hours": at("2026-11-16 18:00"),
    }


@pytest.mark.feature("S06")
def test_what_a_clock_tells_comes_in_order_and_each_thing_once() -> None:
    of = desk({"default": policy(steps=LADDER)})
    first = followed(of, History("2026-11-16 12:00")).clocks[0]

    some, early = clocks.fired(first, at("2026-11-16 15:00"))
    rest, late = clocks.fired(some, at("2026-11-30 09:00"))

    assert [_name(news) for news in early] == ["half", "sla.clock-warned", "hour-before"]
    assert [_name(news) for news in late] == ["sla.clock-ran-out", "two-real-hours", "two-hours"]
    assert clocks.fired(rest, at("2026-12-30 09:00"))[1] == []
    assert rest.next_at is None


def test_a_step_that_was_reached_is_not_reached_again_under_another_policy() -> None:
    of = desk({"default": policy(steps=LADDER)})
    first = followed(of, History("2026-11-16 12:00")).clocks[0]
    told, _ = clocks.fired(first, at("2026-11-16 14:00"))
    slower = desk({"default": policy(steps=LADDER, targets={"normal": {"first_response": "6h", "resolution": "9h"}})})  # fmt: skip

    refitted = clocks.refitted(told, at("2026-11-16 14:10"), terms(slower))

    assert refitted.next_at == refitted.warn_at
    assert "half" in refitted.stepped


def test_a_pause_ends_the_ladder_for_as_long_as_it_lasts() -> None:
    of = desk({"default": policy(steps=LADDER)})
    history = History("2026-11-16 09:00")
    history.status("2026-11-16 14:00", "pending")
    paused = followed(of, history).clocks[0]

    told = [_name(news) for news in clocks.fired(paused, at("2026-11-30 09:00"))[1]]

    assert told == ["sla.clock-warned", "sla.clock-ran-out"]


def _name(news: clocks.Told) -> str:
    return getattr(news, "step", news.type)
