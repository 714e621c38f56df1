"""A mail that is held back between its 250 and its ticket: rules of sla, tickets and reports joined."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from services.reports.projections import project
from services.sla import documents
from services.sla.domain.case import IRRELEVANT, follow, traits_of
from services.sla.domain.clock import fired
from services.sla.domain.policy import Policies
from services.sla.handlers import news_of
from shared.contracts.sla import ClockRanOut
from shared.contracts.ticket import SLABreached, SLABreachWithdrawn, TicketEscalated
from tests.builders import MARTA, NOON, a_customers_answer, a_desk, a_mail, an_agents_mail
from tests.unit.tickets.memory_desk import MemoryDesk

HOURS = {"normal": {"first_response": "1h", "resolution": "8h"}}
SLA = {"policies": {"standard": {"calendar": "all", "targets": HOURS}}}
CALENDARS = {"all": {"timezone": "UTC", "week": "always"}}
DUE = NOON + timedelta(hours=1)


class TwoServices:
    """tickets and sla without stores: each hears of all that the other tells, at once."""

    def __init__(self) -> None:
        self.tickets = MemoryDesk()
        self.tickets.config = a_desk(sla=SLA, calendars=CALENDARS)
        self._policies = Policies(self.tickets.config)
        self._case: Any = None
        self._heard = 0

    def receives(self, mail: Any, *, at: datetime) -> None:
        self.tickets.at(at).receive(mail)
        self._tell_sla()

    def ticks(self, at: datetime) -> list[Any]:
        told = []
        for clock in self._case.clocks:
            after, news = fired(clock, at)
            clocks = tuple(after if one.id == after.id else one for one in self._case.clocks)
            self._case = type(self._case)(**{**vars(self._case), "clocks": clocks})
            told += news
        for one in told:
            self.tickets.at(at).clock(one)
        return told

    def _tell_sla(self) -> None:
        for event in self.tickets.events[self._heard :]:
            if not isinstance(event, IRRELEVANT):
                self._case = follow(self._case, event, self._policies.terms(traits_of(event)))
        self._heard = len(self.tickets.events)
        self.tickets.clock(news_of(self._case, self.tickets.now, self._policies))

    def targets(self) -> dict[str, datetime | None]:
        """When reports says that each target was missed."""
        row = None
        for event in self.tickets.events:
            row = project(row, event).row
        assert row
        return {one.target: one.breached_at for one in row.targets}


@pytest.mark.feature("S06", "P01")
def test_an_answer_accepted_in_time_and_held_back_ten_minutes_is_no_breach() -> None:
    both = TwoServices()
    both.receives(a_mail(), at=NOON)
    held = an_agents_mail("On our way.", received_at=DUE - timedelta(seconds=1))

    told = both.ticks(DUE)
    both.receives(held, at=DUE + timedelta(minutes=10))

    assert any(isinstance(one, ClockRanOut) for one in told)
    withdrawn = both.tickets.last(SLABreachWithdrawn)
    assert (withdrawn.target, withdrawn.due_at) == ("first-response", DUE)
    assert not both.tickets.ticket().breached
    assert not both.tickets.state().escalated
    assert both.targets()["first-response"] is None


@pytest.mark.feature("S06")
def test_when_sla_was_held_back_too_nobody_hears_of_a_breach_at_all() -> None:
    both = TwoServices()
    both.receives(a_mail(), at=NOON)
    answer = an_agents_mail("On our way.", received_at=DUE - timedelta(seconds=1))

    both.receives(answer, at=DUE + timedelta(minutes=10))
    both.ticks(DUE + timedelta(minutes=10))

    assert not [e for e in both.tickets.events if isinstance(e, SLABreached | TicketEscalated)]


@pytest.mark.feature("S06")
def test_an_answer_a_second_too_late_stays_a_breach_that_the_manager_heard_of() -> None:
    both = TwoServices()
    both.receives(a_mail(), at=NOON)
    late = an_agents_mail("On our way.", received_at=DUE + timedelta(seconds=1))

    both.ticks(DUE)
    both.receives(late, at=DUE + timedelta(minutes=10))

    assert both.tickets.last(TicketEscalated).to == [MARTA]
    assert both.tickets.state().escalated
    assert both.targets()["first-response"] == DUE


@pytest.mark.feature("S03", "S06")
@pytest.mark.parametrize("word", ["#pending", "#hold", "#snooze 2026-12-24", "#status pending"])
def test_a_clock_stands_still_from_when_smtp_took_the_mail_that_stops_it(word: str) -> None:
    both = TwoServices()
    both.receives(a_mail(), at=NOON)
    held = an_agents_mail(word, received_at=DUE - timedelta(minutes=20))

    both.ticks(DUE)
    both.receives(held, at=DUE + timedelta(minutes=10))

    withdrawn = both.tickets.last(SLABreachWithdrawn)
    assert withdrawn.answered_at == DUE - timedelta(minutes=20)
    assert not both.tickets.state().escalated
    assert both.targets()["first-response"] is None
    [clock] = [c for c in both.tickets.state().clocks if c.target == "first-response"]
    assert (clock.state, clock.left_s) == ("paused", 20 * 60)


@pytest.mark.feature("S03", "S06")
def test_a_clock_that_had_stood_still_runs_out_later_and_tells_it_once() -> None:
    both = TwoServices()
    both.receives(a_mail(), at=NOON)
    both.ticks(DUE)
    held = an_agents_mail("#pending", received_at=DUE - timedelta(minutes=20))
    both.receives(held, at=DUE + timedelta(minutes=10))
    back = DUE + timedelta(hours=2)
    asked = a_customers_answer("Any news?", received_at=back)
    both.receives(asked, at=back + timedelta(minutes=5))

    early = both.ticks(back + timedelta(minutes=19))
    late = both.ticks(back + timedelta(minutes=20))
    again = both.ticks(back + timedelta(minutes=30))

    ends = [one for one in (*early, *late, *again) if isinstance(one, ClockRanOut)]
    assert [(one.again, one.due_at) for one in ends] == [(1, back + timedelta(minutes=20))]
    assert documents.fired_row(ends[0])["_id"] == "T-1.first-response.1.ran-out-1"
    assert both.targets()["first-response"] == back + timedelta(minutes=20)
    assert both.tickets.state().escalated


@pytest.mark.feature("S03", "S06")
def test_a_ticket_put_to_wait_a_second_too_late_stays_a_breach() -> None:
    both = TwoServices()
    both.receives(a_mail(), at=NOON)
    both.ticks(DUE)

    late = an_agents_mail("#pending", received_at=DUE + timedelta(seconds=1))
    both.receives(late, at=DUE + timedelta(minutes=10))

    assert not [e for e in both.tickets.events if isinstance(e, SLABreachWithdrawn)]
    assert both.targets()["first-response"] == DUE
