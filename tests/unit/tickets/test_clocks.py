import pytest

from shared.contracts.sla import Clock, ClockRanOut, ClocksChanged, ClockWarned
from shared.contracts.ticket import TicketEscalated
from tests.builders import MARTA, NOON, a_customers_answer, a_mail, an_agents_mail, later


@pytest.fixture
def desk(desk):
    desk.receive(a_mail())
    return desk


def ran_out(target="first-response", *, due=60, cycle=1):
    due_at = later(minutes=due)
    return ClockRanOut(
        ticket_id="T-1", target=target, cycle=cycle, due_at=due_at, fired_at=later(hours=9)
    )


def test_no_answer_in_time_is_a_breach_that_the_manager_hears_of(desk):
    assert desk.clock(ran_out()) == ["sla-breached", "escalated"]
    assert desk.last(TicketEscalated).to == [MARTA]
    assert desk.state().escalated


def test_an_answer_accepted_in_time_is_no_breach_though_it_was_read_later(desk):
    desk.at(later(hours=2)).receive(an_agents_mail("Hello.", received_at=later(minutes=59)))

    assert desk.clock(ran_out()) == []


def test_an_answer_accepted_too_late_is_a_breach(desk):
    desk.receive(an_agents_mail("Hello.", received_at=later(minutes=61)))

    assert desk.clock(ran_out())[0] == "sla-breached"


def test_a_note_is_no_answer(desk):
    desk.receive(an_agents_mail("#note\nHm.", received_at=later(minutes=1)))

    assert desk.clock(ran_out())[0] == "sla-breached"


def test_a_resolution_in_time_is_no_breach(desk):
    desk.receive(an_agents_mail("#resolve", received_at=later(minutes=59)))

    assert desk.clock(ran_out("resolution")) == []


def test_a_breach_is_told_once(desk):
    desk.clock(ran_out())

    assert desk.clock(ran_out()) == []


def test_the_next_answer_must_come_after_the_customers_message(desk):
    desk.receive(an_agents_mail("First.", received_at=later(minutes=1)))
    desk.receive(a_customers_answer())
    clock = Clock(
        target="next-response", cycle=2, state="running", goal_s=60, started_at=later(minutes=2),
        as_of=NOON,
    )  # fmt: skip
    desk.clock(ClocksChanged(ticket_id="T-1", ticket_seq=5, clocks=[clock]))

    assert desk.clock(ran_out("next-response", cycle=2))[0] == "sla-breached"


def test_a_warning_is_told_unless_the_answer_is_there_already(desk):
    warned = ClockWarned(
        ticket_id="T-1", target="first-response", cycle=1, due_at=later(hours=1), warned_at=NOON
    )
    assert desk.clock(warned) == ["sla-warned"]

    desk.receive(an_agents_mail("Hello.", received_at=later(minutes=1)))

    assert desk.clock(warned) == []


def test_older_news_of_clocks_is_passed_over(desk):
    clock = Clock(
        target="resolution", cycle=1, state="running", goal_s=60, started_at=NOON, as_of=NOON
    )
    desk.clock(ClocksChanged(ticket_id="T-1", ticket_seq=5, clocks=[clock]))

    assert desk.clock(ClocksChanged(ticket_id="T-1", ticket_seq=3, clocks=[])) == []
    assert desk.state().clocks == [clock]


def test_the_same_news_again_is_silent(desk):
    news = ClocksChanged(ticket_id="T-1", ticket_seq=5, clocks=[])

    assert desk.clock(news) == []
