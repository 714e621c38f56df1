"""The desk's file is changed while the desk runs."""

import json

import pytest
from ruamel.yaml import YAML

from deploy.local import facts
from deploy.local.parts import SERVICES
from tests.acceptance.company import Company, until
from tests.leaks import service_logs

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]


@pytest.mark.feature("B06")
def test_all_services_follow_another_file_without_being_started_again(company: Company) -> None:
    path = company.state_dir / "desk.yaml"
    desk = YAML(typ="safe").load(path.read_text())
    before = running(company).pids
    earlier = {name: starts(company, name) for name in SERVICES}
    rule = {"name": "followed", "when": {"words": ["new file"]}, "then": {"priority": "high"}}
    desk["routing"]["rules"].append(rule)

    with path.open("w") as file:
        YAML().dump(desk, file)
    until(lambda: all(len(starts(company, n)) > len(earlier[n]) for n in SERVICES), within_s=90)
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
    assert digests.isdisjoint(earlier["tickets"][-1:])


def starts(company: Company, name: str) -> list[str]:
    """The configurations with which a service says that it has started."""
    [log] = [log for log in service_logs(company.state_dir) if name in log.name]
    lines = [json.loads(line) for line in log.read_text().splitlines() if '"started"' in line]
    return [line["desk"] for line in lines if line["event"] == "started"]


def running(company: Company) -> facts.StackFacts:
    found = facts.read(company.state_dir)
    assert found
    return found
