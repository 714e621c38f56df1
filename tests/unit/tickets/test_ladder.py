"""What steps of the ladder do, what ends it, and breaches that were none."""

from typing import Any

import pytest

from services.tickets.domain.facts import Absence
from services.tickets.mail_commands.explaining import sla_text
from shared.contracts.commands import Estimate, Snooze
from shared.contracts.sla import Clock, ClockRanOut, ClocksChanged, ClockStepReached, DelayEnded
from shared.contracts.ticket import (
    FieldChanged,
    SLABreachWithdrawn,
    StatusChanged,
    TicketAssigned,
    TicketEscalated,
)
from tests.builders import (
    ANA,
    BEN,
    CARLA,
    LENA,
    MARTA,
    NOON,
    a_customers_answer,
    a_desk,
    a_mail,
    an_agents_mail,
    later,
)

STEPS = [
    {"name": "breach", "late": 0, "notify": ["assignee", "manager"], "priority": "raise"},
    {"name": "senior", "late": "1h", "assign": "senior", "notify": ["assignee"], "at_night": True},
    {"name": "money", "late": "2h", "team": "billing", "notify": ["team", "boss@else.example"]},
    {"name": "quiet", "left": "1h", "flag": False, "priority": "urgent"},
]


@pytest.fixture
def desk(desk):
    people = [
        {"address": address, "name": address, "role": role, "senior": address == BEN}
        for address, role in ((ANA, "agent"), (BEN, "agent"), (CARLA, "agent"), (LENA, "lead"), (MARTA, "manager"))
    ]  # fmt: skip
    desk.config = a_desk(sla={"steps": STEPS}, agents=people)
    desk.receive(a_mail())
    return desk


def ran_out(target: str = "resolution", *, due: int = 60) -> ClockRanOut:
    due_at = later(minutes=due)
    return ClockRanOut(
        ticket_id="T-1", target=target, cycle=1, due_at=due_at, fired_at=later(hours=9)
    )


def reached(step: str, *, after: int = 120, target: str = "resolution") -> ClockStepReached:
    return ClockStepReached(
        ticket_id="T-1",
        target=target,
        cycle=1,
        step=step,
        policy="",
        due_at=later(minutes=60),
        reached_at=later(minutes=after),
        fired_at=later(hours=9),
    )


def clock(state: str, *, at: int, target: str = "first-response") -> Clock:
    return Clock(
        target=target, cycle=1, state=state, goal_s=3600, started_at=NOON, as_of=later(minutes=at)
    )


@pytest.mark.feature("S05")
def test_a_breach_raises_the_priority_and_calls_in_who_the_ladder_says(desk):
    assert desk.clock(ran_out()) == ["sla-breached", "field-changed", "escalated"]

    assert desk.state().priority == "high"
    told = desk.last(TicketEscalated)
    assert (told.to, told.step, told.target, told.urgent) == ([ANA, MARTA], "breach", "resolution", False)  # fmt: skip


@pytest.mark.feature("S05")
def test_a_step_gives_the_ticket_to_a_senior_agent_who_is_then_told(desk):
    assert desk.clock(reached("senior")) == ["assigned", "escalated"]

    assert desk.last(TicketAssigned).reason == "escalation"
    assert desk.last(TicketEscalated).to == [BEN]
    assert desk.last(TicketEscalated).urgent


@pytest.mark.feature("S05")
@pytest.mark.parametrize(("wanted", "away", "found"), [
    ("senior", [BEN], CARLA),
    ("senior", [BEN, CARLA], LENA),
    ("lead", [LENA], BEN),
    (LENA, [LENA], BEN),
])  # fmt: skip
def test_a_step_gives_no_ticket_to_somebody_who_is_away(desk, wanted, away, found):
    agents = [
        {"address": a, "name": a, "senior": a in (BEN, CARLA)} for a in (ANA, BEN, CARLA, LENA)
    ]
    support = {"name": "support", "members": [ANA, BEN, CARLA], "lead": LENA}
    desk.config = a_desk(
        sla={"steps": [{**STEPS[1], "assign": wanted}]},
        agents=agents,
        teams=[support, {**support, "name": "billing"}],
    )
    desk.absences = {a: Absence(a, NOON, later(hours=99), said_at=NOON) for a in away}

    desk.clock(reached("senior"))

    assert desk.state().assignee == found


@pytest.mark.feature("S05")
def test_a_step_moves_the_ticket_and_writes_to_an_address(desk):
    assert desk.clock(reached("money")) == ["team-changed", "assigned", "escalated"]

    assert (desk.state().team, desk.state().assignee) == ("billing", CARLA)
    assert desk.last(TicketEscalated).to == [CARLA, "boss@else.example"]


def test_a_step_without_flag_and_people_escalates_nothing(desk):
    assert desk.clock(reached("quiet", after=1)) == ["field-changed"]
    assert desk.last(FieldChanged).value == "urgent"
    assert not desk.state().escalated


def test_what_is_so_already_is_not_changed_again(desk):
    desk.clock(reached("quiet", after=1))

    assert desk.clock(reached("quiet", after=2)) == []


def test_an_answer_before_the_step_ends_the_ladder(desk):
    desk.receive(an_agents_mail("#resolve\nDone.", received_at=later(minutes=100)))

    assert desk.clock(reached("senior")) == []


def test_a_step_that_the_configuration_does_not_have_any_more_does_nothing(desk):
    assert desk.clock(reached("gone")) == []


@pytest.mark.feature("S06")
def test_a_breach_is_withdrawn_when_an_answer_turns_up_that_was_accepted_in_time(desk):
    desk.clock(ran_out("first-response"))
    desk.receive(an_agents_mail("Hello.", received_at=later(minutes=59)))

    heard = desk.clock(news(clock("met", at=59)))

    assert heard == ["clocks-updated", "sla-breach-withdrawn"]
    assert desk.last(SLABreachWithdrawn).answered_at == later(minutes=59)
    assert not desk.state().escalated
    assert desk.clock(news(clock("met", at=59))) == []


def test_a_breach_stays_when_other_terms_would_have_made_it_none(desk):
    desk.clock(ran_out("first-response"))
    desk.receive(an_agents_mail("Hello.", received_at=later(minutes=61)))

    assert desk.clock(news(clock("met", at=61))) == ["clocks-updated"]
    assert desk.state().escalated


def test_a_withdrawn_breach_does_not_end_what_people_escalated(desk):
    desk.receive(an_agents_mail('#escalate "please"'))
    desk.clock(ran_out("first-response"))
    desk.receive(an_agents_mail("Hello.", received_at=later(minutes=59)))

    desk.clock(news(clock("met", at=59)))

    assert desk.state().escalated


def news(*clocks: Clock) -> ClocksChanged:
    return ClocksChanged(ticket_id="T-1", ticket_seq=99, clocks=list(clocks))


@pytest.mark.feature("T13")
def test_a_delayed_ticket_rests_and_returns_by_itself(desk):
    until = later(days=2)
    snoozed = desk.receive(an_agents_mail(f"#snooze {until:%Y-%m-%dT%H:%MZ}"))
    assert snoozed[-2:] == ["status-changed", "delayed"]
    assert (desk.state().status, desk.state().delayed_until) == ("on-hold", until)

    ended = DelayEnded(ticket_id="T-1", until=until, fired_at=until)
    assert desk.at(until).clock(ended) == ["returned", "status-changed"]
    assert (desk.state().status, desk.state().delayed_until) == ("open", None)
    assert desk.clock(ended) == []


@pytest.mark.feature("T13")
def test_a_customers_answer_ends_the_delay(desk):
    desk.receive(an_agents_mail("#snooze 3d"))
    desk.receive(a_customers_answer("Any news?"))

    assert (desk.state().status, desk.state().delayed_until) == ("open", None)
    assert desk.last(StatusChanged).previous == "on-hold"


def test_a_delay_into_the_past_is_refused(desk):
    assert desk.receive(an_agents_mail("#snooze 2020-01-01")) == ["draft-held"]


@pytest.mark.feature("T07")
def test_an_estimate_stands_beside_the_targets(desk):
    desk.receive(an_agents_mail("#estimate 2026-11-27"))

    assert f"{desk.state().estimate_at:%Y-%m-%d %H:%M}" == "2026-11-27 09:00"
    assert "Estimated by the desk, beside the targets: 2026-11-27 09:00 UTC" in text_for(desk)
    desk.receive(an_agents_mail("#estimate none"))
    assert desk.state().estimate_at is None


def test_systems_delay_and_estimate_too(desk):
    asked = {"version": 1, "actor": "system:crm", "ticket_id": "T-1"}

    desk.command(Snooze(until=later(days=1), **asked))
    desk.command(Estimate(at=later(days=2), **asked))

    assert desk.state().delayed_until == later(days=1)
    assert desk.state().estimate_at == later(days=2)


OFFICE = {
    "timezone": "Europe/Berlin",
    "week": {
        day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    },
    "holidays": {"country": "DE"},
    "closed": ["12-24"],
}


def text_for(desk: Any) -> str:
    return sla_text(desk.state(), desk.now, desk.config.agents_by_address[ANA], desk.config)


@pytest.mark.feature("T01")
def test_a_due_time_is_explained_step_by_step(desk):
    desk.config = a_desk(calendars={"office": OFFICE})
    started = NOON.replace(month=12, day=23, hour=14)
    resumed = NOON.replace(month=12, day=27, hour=9)
    one = Clock(
        target="resolution",
        cycle=1,
        state="running",
        policy="gold",
        rule="segment premium",
        calendar="office",
        goal_s=16 * 3600,
        said="2 business days",
        started_at=started,
        due_at=NOON.replace(month=12, day=28, hour=15),
        stretches=[(started, NOON.replace(month=12, day=23, hour=15)), (resumed, None)],
        as_of=resumed,
    )
    desk.clock(news(one))
    desk.at(NOON.replace(month=12, day=28, hour=9))

    text = text_for(desk)

    assert text.splitlines()[2:] == [
        "Resolution: GREEN 6 h left, due 2026-12-28 15:00 UTC",
        "  policy gold, because of: segment premium",
        "  2 business days (16 h) of open time by the calendar office (Europe/Berlin)",
        "  Wed 2026-12-23 14:00  started",
        "  Wed 2026-12-23 15:00  stopped, 1 h counted so far",
        "  Sun 2026-12-27 09:00  goes on, 1 h counted so far",
        "  Mon 2026-12-28 15:00  due: 16 h counted",
    ]


@pytest.mark.feature("S02")
def test_holidays_closing_days_and_changes_of_the_clocks_are_part_of_the_explanation(desk):
    desk.config = a_desk(calendars={"office": OFFICE})
    started = NOON.replace(month=12, day=23, hour=14)
    given = {"cycle": 1, "state": "running", "policy": "p", "calendar": "office", "as_of": started}
    christmas = Clock(
        target="resolution",
        goal_s=3600,
        started_at=started,
        due_at=NOON.replace(month=12, day=27, hour=9),
        stretches=[(started, None)],
        **given,
    )
    spring = NOON.replace(year=2027, month=3, day=27)
    march = Clock(
        target="first-response",
        goal_s=3600,
        started_at=spring,
        due_at=spring.replace(day=28, hour=9),
        stretches=[(spring, None)],
        **given,
    )
    desk.clock(news(christmas, march))

    text = text_for(desk)

    assert "  Thu 2026-12-24        closed all day (12-24)" in text
    assert "public holiday, closed: Christmas Day" in text
    assert "  Sun 2027-03-28 01:00  the clocks go forward by 1 h" in text
