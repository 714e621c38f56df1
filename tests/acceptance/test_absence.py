"""Out-of-office of an agent by mail: what colleagues and customers see of it."""

from collections.abc import Iterator

import pytest

from deploy.local.correspondent import Correspondent
from tests.acceptance.company import Company, until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]


@pytest.fixture
def desk_addresses(company: Company) -> dict[str, str]:
    """Where each agent may write unasked."""
    return {agent["address"]: agent["desk_address"] for agent in company.addresses["agents"]}


@pytest.fixture
def said(company: Company, desk_addresses: dict[str, str]) -> Iterator[dict[str, Correspondent]]:
    """Agents who were away and are back when the test is over."""
    people: dict[str, Correspondent] = {}
    yield people
    for agent in people.values():
        agent.write(desk_addresses[agent.address], "Here again", "#back")
        agent.wait_for(lambda x: "You are back" in x.text)


@pytest.mark.feature("R03")
def test_an_agents_absence_by_mail_hands_over_what_is_open_and_what_comes(
    company: Company, desk_addresses: dict[str, str], said: dict[str, Correspondent]
) -> None:
    emma = company.person("emma@harbour-bakery.example", "Emma Brand")
    number, _ = company.open_ticket(emma, "Before the holiday")
    waiting, ack = company.open_ticket(emma, "Waits for an answer")
    until(lambda: company.show(waiting)["assignee"])
    agent, _ = company.agent_and_notice(number)
    other, note = company.agent_and_notice(waiting)
    if other.address != agent.address:
        other.answer(note, f"#assign {agent.address}\n#pending")
    else:
        agent.answer(note, "#pending")
    until(lambda: company.show(waiting)["status"] == "pending")
    until(lambda: company.show(waiting)["assignee"] == agent.address)
    said["away"] = agent

    agent.write(desk_addresses[agent.address], "Holiday", "#away until tomorrow 23:00")
    confirmed = agent.wait_for(lambda x: "You are away from now until" in x.text)
    colleague = until(lambda: _another(company, number, agent.address))
    told = company.person(colleague).wait_for(
        lambda x: number in x.subject and "is away until" in x.text
    )
    fresh, _ = company.open_ticket(emma, "During the holiday")
    emma.answer(ack, "Here is what you asked for.")
    answered = until(lambda: _another(company, waiting, agent.address))

    assert f"{number}  Before the holiday → the next of team support" in confirmed.text
    assert f"{waiting}  Waits for an answer  (pending)" in confirmed.text
    assert f"{number} is assigned to you: " in told.text
    assert until(lambda: company.show(fresh)["assignee"]) == answered == colleague
    assigned = [e for e in company.show(number)["timeline"] if e["type"] == "ticket.assigned"]
    assert assigned[-1]["by"] == "system:absence"
    assert "is away until" in assigned[-1]["data"]["because"]
    moved = [e for e in assigned if e["by"] == "system:absence"]
    assert len(moved) == 1
    assert not any(number in x.subject and "is away" in x.text for x in agent.letters())


def _another(company: Company, number: str, than: str) -> str:
    assignee = company.show(number)["assignee"]
    return assignee if assignee != than else ""
