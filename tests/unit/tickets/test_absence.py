"""Agents who are away: what they say, who counts as away, and who gets their tickets."""

from datetime import UTC, datetime

import pytest

from services.tickets.domain.absence import absence_of, is_away
from services.tickets.domain.facts import Absence, Facts
from services.tickets.mail_commands.confirming import absence_text, absence_title
from shared.contracts.sla import DelayEnded
from shared.contracts.ticket import LockChanged, TicketAssigned
from tests.builders import (
    ANA,
    BEN,
    CARLA,
    LENA,
    NOON,
    a_customers_answer,
    a_desk,
    a_mail,
    an_agents_mail,
    later,
)

IN_A_WEEK = "2026-11-27 09:00"


def at_desk(text, **changes):
    return an_agents_mail(text, ticket_id=None, purpose="desk", **changes)


def with_away(*days, zone="UTC"):
    """The desk, where Ana is away on these days by the configuration."""
    agents = [agent.model_dump() for agent in a_desk().agents]
    agents[0] |= {"away": days, "timezone": zone}
    return a_desk(agents=agents)


def ana(facts):
    return facts.desk.agents_by_address[ANA]


@pytest.mark.feature("R03")
def test_an_absence_is_announced_at_the_desk_address_and_passes_the_agent_by(desk):
    desk.receive(at_desk(f"#away until {IN_A_WEEK}"))

    desk.receive(a_mail("one"))
    desk.receive(a_mail("two"))

    assert desk.absences[ANA].until == datetime(2026, 11, 27, 9, tzinfo=UTC)
    assert [desk.state("T-1").assignee, desk.state("T-2").assignee] == [BEN, BEN]


@pytest.mark.feature("R03")
def test_an_answer_to_a_notice_announces_it_too_and_touches_no_ticket(desk):
    desk.receive(a_mail())

    assert desk.receive(an_agents_mail(f"#vacation until {IN_A_WEEK} to ben")) == []
    assert desk.absences[ANA].stand_in == BEN
    assert desk.state().assignee == ANA


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("#away", "E02"),
        ("#away friday", "E02"),
        ("#away until 03/04", "E06"),
        ("#away until 2020-01-01", "E06"),
        ("#away from 2026-12-24 until 2026-12-01", "E07"),
        (f"#away until {IN_A_WEEK} to nobody", "E03"),
        (f"#away until {IN_A_WEEK} to me", "E03"),
        (f"#away until {IN_A_WEEK} to somebody", "E03"),
        (f"#away until {IN_A_WEEK}\n#back", "E07"),
        (f"#away until {IN_A_WEEK}\n#clos", "E01"),
    ],
)
def test_what_is_not_understood_announces_nothing(desk, words, code):
    desk.receive(at_desk(words))

    assert desk.absences == {}
    assert code in [line.code for line in desk.requests[0].lines]


def test_only_checking_announces_nothing(desk):
    desk.receive(a_mail())

    desk.receive(an_agents_mail(f"#check\n#away until {IN_A_WEEK}"))

    assert desk.absences == {}


def test_a_forged_absence_is_none(desk):
    desk.receive(at_desk(f"#away until {IN_A_WEEK}", authentication={"dmarc": "fail"}))

    assert desk.absences == {}


@pytest.mark.feature("R03")
def test_who_is_back_gets_tickets_again_whatever_the_configuration_said(desk):
    desk.config = with_away(("2026-11-20", "2026-11-30"))
    desk.receive(a_mail("one"))
    desk.receive(at_desk("#back", received_at=later(minutes=1)))

    desk.at(later(minutes=2)).receive(a_mail("two"))
    desk.receive(a_mail("three"))

    assert [desk.state(f"T-{n}").assignee for n in (1, 2, 3)] == [BEN, BEN, ANA]


def test_being_back_from_one_absence_is_not_being_back_from_the_next():
    back = Absence(ANA, NOON, NOON, said_at=NOON)
    facts = Facts(later(days=30), with_away(("2026-12-20", "2026-12-30")), absences={ANA: back})

    assert is_away(ana(facts), facts)


def test_an_older_mail_that_comes_later_changes_nothing(desk):
    desk.receive(at_desk("#back", received_at=later(minutes=5)))

    desk.receive(at_desk(f"#away until {IN_A_WEEK}", received_at=NOON))

    assert desk.absences[ANA].is_return


@pytest.mark.parametrize(
    ("moment", "away"),
    [("2026-11-20T10:59", False), ("2026-11-20T11:00", True), ("2026-11-21T10:59", True),
     ("2026-11-21T11:00", False)],
)  # fmt: skip
def test_days_of_the_configuration_are_those_of_the_agents_zone(moment, away):
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    desk = with_away(("2026-11-21", "2026-11-21"), zone="Pacific/Auckland")  # 13 hours ahead

    assert is_away(ana(Facts(now, desk)), Facts(now, desk)) is away


def test_the_announced_end_is_no_longer_away():
    facts = Facts(
        later(hours=1), a_desk(), absences={ANA: Absence(ANA, NOON, later(hours=1), NOON)}
    )

    assert absence_of(ana(facts), facts) is None


@pytest.mark.feature("R03")
@pytest.mark.parametrize("words", ["#pending", "#hold", "#resolve"])
def test_a_customer_who_writes_to_an_absent_agents_ticket_finds_a_colleague(desk, words):
    desk.receive(a_mail())
    desk.receive(an_agents_mail(f"#take\n{words}"))
    desk.receive(at_desk(f"#away until {IN_A_WEEK}"))

    types = desk.receive(a_customers_answer())

    assert types[0] == "assigned"
    assert "message-added" in types
    assert desk.state().assignee == BEN
    assigned = desk.last(TicketAssigned)
    assert (assigned.by, assigned.previous, assigned.reason) == ("system:absence", ANA, "rotation")
    assert assigned.because == "Ana Lopez is away until 2026-11-27 09:00 UTC"
    assert desk.state().locked_by is None


def test_an_automatic_answer_finds_nobody_else(desk):
    desk.receive(a_mail())
    desk.receive(at_desk(f"#away until {IN_A_WEEK}"))

    desk.receive(a_customers_answer("I am out.", autoreply=True))

    assert desk.state().assignee == ANA


def test_a_rest_that_ends_while_the_agent_is_away_is_a_colleagues(desk):
    desk.receive(a_mail())
    desk.receive(an_agents_mail("#snooze 2026-11-24 09:00"))
    desk.receive(at_desk(f"#away until {IN_A_WEEK}"))
    until = datetime(2026, 11, 24, 9, tzinfo=UTC)

    types = desk.at(until).clock(DelayEnded(ticket_id="T-1", until=until, fired_at=until))

    assert types == ["assigned", "returned", "status-changed"]
    assert desk.state().assignee == BEN


@pytest.mark.feature("R03")
def test_whom_the_agent_named_gets_the_ticket_unless_they_are_away_too(desk):
    for text in ("one", "two", "three"):
        desk.receive(a_mail(text))
    desk.receive(at_desk(f"#away until {IN_A_WEEK} to carla"))

    desk.receive(a_customers_answer(ticket_id="T-1"))
    desk.receive(at_desk(f"#away until {IN_A_WEEK}", agent=CARLA))
    desk.receive(a_customers_answer(ticket_id="T-3"))

    assert (desk.state("T-1").assignee, desk.state("T-3").assignee) == (CARLA, BEN)


@pytest.mark.feature("R03")
def test_where_nobody_is_there_the_lead_gets_it_or_the_queue(desk):
    lead = [{**team.model_dump(), "lead": LENA} for team in desk.config.teams]
    desk.receive(a_mail())
    for agent in (ANA, BEN):
        desk.receive(at_desk(f"#away until {IN_A_WEEK}", agent=agent))
    led = a_desk(teams=lead)

    desk.receive(a_customers_answer("Hello?"))
    to_the_queue = desk.last(TicketAssigned)
    desk.config = led
    desk.receive(a_mail("two"))

    assert (to_the_queue.assignee, to_the_queue.reason) == (None, "release")
    assert desk.state("T-2").assignee == LENA


def test_a_lock_of_the_absent_agent_ends(desk):
    desk.receive(a_mail())
    desk.receive(an_agents_mail("#take"))
    desk.receive(at_desk(f"#away until {IN_A_WEEK}"))

    desk.receive(a_customers_answer())

    assert desk.last(LockChanged).previous == ANA


@pytest.mark.feature("R03")
def test_the_confirmation_says_what_becomes_of_each_ticket(desk):
    for text in ("one", "two", "three"):
        desk.receive(a_mail(text, subject=text))
    desk.receive(an_agents_mail("#pending", ticket_id="T-3"))
    desk.receive(at_desk(f"#away until {IN_A_WEEK}"))
    facts = Facts(NOON, desk.config, absences=desk.absences)

    text = absence_text(ana(facts), [desk.state("T-1"), desk.state("T-3")], facts)

    assert absence_title(ana(facts), facts) == "You are away"
    assert "from now until Fri 2026-11-27 09:00 UTC" in text
    assert "  T-1  one → the next of team support" in text
    assert "  T-3  three  (pending)" in text
    assert not any(line.startswith(("#", "/", "@")) for line in text.splitlines())


def test_the_confirmation_of_being_back_says_that_nothing_comes_back(desk):
    desk.receive(at_desk("#back"))
    facts = Facts(NOON, desk.config, absences=desk.absences)

    assert absence_title(ana(facts), facts) == "You are back"
    assert "stays with them" in absence_text(ana(facts), [], facts)


def test_an_absence_to_come_says_when_it_begins(desk):
    desk.receive(at_desk("#away from 2026-11-25 until 2026-11-27 to ben"))
    desk.receive(a_mail())
    facts = Facts(NOON, desk.config, absences=desk.absences)

    text = absence_text(ana(facts), [desk.state()], facts)

    assert desk.state().assignee == ANA
    assert "You will be away from Wed 2026-11-25 09:00 UTC" in text
    assert "when it begins" in text
    assert f"Ben Okafor <{BEN}>" in text
