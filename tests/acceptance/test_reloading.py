"""The desk's file is changed while the desk runs."""

import pytest

from deploy.local import facts
from deploy.local.parts import SERVICES
from tests.acceptance.company import Company
from tests.acceptance.running import configuration, reconfigure, starts

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]


@pytest.mark.feature("B06")
def test_all_services_follow_another_file_without_being_started_again(company: Company) -> None:
    desk = configuration(company)
    before = running(company).pids
    earlier = starts(company, "tickets")
    rule = {"name": "followed", "when": {"words": ["new file"]}, "then": {"priority": "high"}}
    desk["routing"]["rules"].append(rule)

    reconfigure(company, desk)
    emma = company.person("emma@harbour-bakery.example", "Emma Brand")
    number, _ = company.open_ticket(emma, "After the new file")
    _, notice = company.agent_and_notice(number)

    ticket = company.show(number)
    assert ticket["timeline"][0]["data"]["rules"] == ["followed"]
    assert ticket["priority"] == "high"
    assert "due" in notice.text
    assert running(company).pids == before
    digests = {starts(company, name)[-1] for name in SERVICES}
    assert len(digests) == 1
    assert digests.isdisjoint(earlier[-1:])


def running(company: Company) -> facts.StackFacts:
    found = facts.read(company.state_dir)
    assert found
    return found
