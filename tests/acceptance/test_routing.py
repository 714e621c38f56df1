"""Rules of routing, as mails through the whole stack and as a dry run."""

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.acceptance.company import ROOT, Company, until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]
PRESET = ROOT / "deploy" / "presets" / "demo.yaml"


def numbers(company: Company) -> list[str]:
    """The tickets that there are; what else is shown of them may change at any time."""
    return sorted(one["id"] for one in json.loads(company.run("tickets", "--json")))


@pytest.mark.feature("R01", "R04")
def test_a_keyword_makes_a_ticket_urgent_and_another_configuration_can_be_tried(
    company: Company, tmp_path: Path
) -> None:
    emma = company.person("emma@harbour-bakery.example", "Emma Brand")
    number, _ = company.open_ticket(emma, "TOTAL OUTAGE in the bakery")

    ticket = company.show(number)
    assert (ticket["priority"], ticket["category"]) == ("urgent", "fault")
    assert ticket["timeline"][0]["data"]["rules"] == ["outage"]

    other = YAML(typ="safe").load(PRESET.read_text())
    other["routing"]["rules"] = [{"name": "quiet", "then": {"priority": "low"}}]
    other["directory"] = []
    config = tmp_path / "other.yaml"
    YAML(typ="safe").dump(other, config)
    replayed = json.loads(
        company.run("route", "replay", "--config", str(config), "--since", "2026-01-01", "--json")
    )
    mine = [one for one in replayed["examples"] if one["ticket"] == number]
    # Tickets of other tests may be as low already: their customers may ask for that.
    assert replayed["tickets"] >= replayed["differences"]["priority"] >= 1
    assert not mine or mine[0]["changed"]["priority"] == {"then": "urgent", "now": "low"}


@pytest.mark.feature("R04")
def test_a_mail_from_a_file_is_tried_on_the_running_desks_rules(
    company: Company, tmp_path: Path
) -> None:
    mail = tmp_path / "mail.eml"
    mail.write_text(
        "From: emma@harbour-bakery.example\nTo: support@desk.example\n"
        "Subject: Hello\n\nSince today nothing works any more.\n"
    )
    tickets = numbers(company)

    tried = json.loads(company.run("route", "try", str(mail), "--json"))

    assert [one["rule"] for one in tried["fired"]] == ["outage"]
    assert "nothing works any more" in tried["fired"][0]["because"]
    assert (tried["team"], tried["priority"]) == ("support", "urgent")
    assert numbers(company) == tickets


@pytest.mark.feature("R01", "S01", "R04")
def test_a_rule_gives_a_ticket_its_service_levels(company: Company, tmp_path: Path) -> None:
    emma = company.person("emma@harbour-bakery.example", "Emma Brand")
    number, _ = company.open_ticket(emma, "Our gold contract")
    agent, notice = company.agent_and_notice(number)
    clocks = until(lambda: company.show(number)["sla"])

    agent.answer(notice, "#sla")
    explained = agent.wait_for(lambda x: number in x.subject and "policy gold" in x.text)
    mail = tmp_path / "mail.eml"
    mail.write_text("From: a@b.example\nTo: support@desk.example\nSubject: Gold contract\n\nHi.\n")
    tried = company.run("route", "try", str(mail))

    assert {clock["policy"] for clock in clocks} == {"gold"}
    assert "because of: a rule of routing" in explained.text
    assert "30 min of open time by the calendar always" in explained.text
    assert "SLA policy gold" in " ".join(tried.split())
