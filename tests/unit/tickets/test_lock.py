"""How long an agent's lock lasts: from the latest act of its holder, for the configured time."""

from typing import Any

import pytest

from services.tickets import documents
from services.tickets.domain.evolve import evolve
from services.tickets.mail_commands.asking import History, show_text
from shared.contracts import commands
from shared.contracts.ticket import LockChanged
from tests.builders import ANA, BEN, a_customers_answer, a_desk, a_mail, an_agents_mail, later

IDLE_S = 2 * 3_600
CRM = {"actor": "system:crm", "ticket_id": "T-1"}


@pytest.fixture
def desk(desk: Any) -> Any:
    """T-1 is Ana's since noon, and locked."""
    desk.config = a_desk(
        agent_mail={"lock_idle": "2h"}, systems=[{"name": "crm", "acts_for_agents": True}]
    )
    desk.receive(a_mail())
    desk.receive(an_agents_mail("#take"))
    return desk


@pytest.mark.feature("T03")
def test_a_lock_is_over_when_its_holder_was_idle_for_the_configured_time(desk: Any) -> None:
    last_moment = later(seconds=IDLE_S - 1)
    answer = an_agents_mail("I know the answer.", agent=BEN)
    assert desk.at(last_moment).receive(answer) == ["draft-held"]
    assert "until 2026-11-23 14:00 UTC" in desk.requests[0].lines[0].message

    types = desk.at(later(seconds=IDLE_S)).receive(an_agents_mail("I know it now.", agent=BEN))

    assert types == ["lock-changed", "message-added"]
    over = desk.last(LockChanged)
    assert (over.by, over.locked_by, over.previous) == ("system:lock", None, ANA)
    assert over.because == "nothing done since 2026-11-23 12:00 UTC"
    assert (desk.state().locked_by, desk.state().assignee) == (None, ANA)


@pytest.mark.parametrize("act", ["Hello Emma.", "#note\nStill at it.", "#take", "#priority high"])
def test_each_act_of_the_holder_moves_the_end(desk: Any, act: str) -> None:
    desk.at(later(hours=1)).receive(an_agents_mail(act))

    assert desk.state().locked_until == later(hours=3)
    assert desk.at(later(hours=2)).receive(an_agents_mail("Mine.", agent=BEN)) == ["draft-held"]


def test_what_others_do_does_not_move_the_end(desk: Any) -> None:
    desk.at(later(hours=1)).receive(a_customers_answer("Are you there?"))
    desk.receive(an_agents_mail("#note\nLook at T-9.", agent=BEN))

    assert desk.state().locked_until == later(hours=2)


def test_a_holder_who_comes_back_before_anybody_else_has_the_lock_again(desk: Any) -> None:
    types = desk.at(later(hours=5)).receive(an_agents_mail("Here is your answer."))

    assert types == ["message-added"]
    assert desk.state().holder_at(later(hours=6)) == ANA


def test_a_holder_who_comes_back_after_somebody_else_has_it_no_more(desk: Any) -> None:
    desk.at(later(hours=5)).receive(an_agents_mail("#take", agent=BEN))

    assert desk.receive(an_agents_mail("Here is your answer.")) == ["draft-held"]
    assert desk.state().locked_by == BEN


def test_a_lock_ends_for_commands_on_the_bus_as_for_mails(desk: Any) -> None:
    reply = commands.Reply(text="I know the answer.", on_behalf_of=BEN, **CRM)
    refused = desk.at(later(hours=1)).command(reply)
    assert {refusal.code for refusal in refused.refusals} == {"E05"}

    accepted = desk.at(later(hours=2)).command(reply)

    assert [e.type for e in accepted.story.events] == [
        "ticket.lock-changed",
        "ticket.message-added",
    ]
    assert accepted.story.events[0].by == "system:lock"


def test_an_act_of_the_holder_on_the_bus_moves_the_end(desk: Any) -> None:
    desk.at(later(hours=1)).command(commands.Note(text="By phone.", on_behalf_of=ANA, **CRM))

    assert desk.state().locked_until == later(hours=3)


def test_nothing_is_told_of_a_lock_that_is_over_until_somebody_does_something(desk: Any) -> None:
    assert desk.at(later(hours=5)).receive(a_customers_answer("Hello?")) == ["message-added"]
    assert desk.receive(an_agents_mail("#check\n#close", agent=BEN)) == []


def test_what_is_shown_claims_no_lock_that_is_over(desk: Any) -> None:
    ben = desk.config.agents_by_address[BEN]

    def shown(hours: int) -> str:
        history = History(desk.messages, desk.events)
        return show_text(desk.state(), history, ben, desk.config, later(hours=hours))

    assert f"Locked by: Ana Lopez <{ANA}>, until 2026-11-23 14:00 UTC" in shown(1)
    assert "Locked by" not in shown(2)
    desk.at(later(hours=2)).receive(an_agents_mail("#note\nI take it.", agent=BEN))
    assert "ticket.lock-changed (nothing done since 2026-11-23 12:00 UTC)" in shown(2)


def test_without_a_configured_time_a_lock_has_no_end(desk: Any) -> None:
    desk.config = a_desk(agent_mail={"lock_idle": 0})
    desk.receive(an_agents_mail("#take"))

    assert desk.state().locked_until is None
    assert desk.state().holder_at(later(days=365)) == ANA


def test_the_end_of_a_lock_is_stored_and_told_by_the_events_alone(desk: Any) -> None:
    desk.at(later(hours=1)).receive(an_agents_mail("#priority high"))
    again = None
    for event in desk.events:
        again = evolve(again, event)

    assert again == desk.ticket()
    assert documents.ticket_of(documents.ticket_document(desk.ticket(), 1)) == desk.ticket()
