"""The escalation chapters of the product documents, as mails, on a desk whose time the test moves.

The desk runs in a week of the test's choosing; sla is killed between any two steps.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from deploy.local import facts
from deploy.local.correspondent import Correspondent, Letter
from tests.acceptance.company import ROOT, Company, until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]

PRESETS = ROOT / "deploy" / "presets"
AGENT, SENIOR, MANAGER = (f"{who}@desk-team.example" for who in ("agent", "senior", "manager"))
NEW_YORK_NINE = "2027-03-01 14:00"  # a Monday, when the shop opens


class Desk(Company):
    """A company whose clock the test sets."""

    def is_at(self, moment: str) -> None:
        """Make it that time (UTC) in all services; time goes on from there."""
        wanted = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        ahead = (wanted - datetime.now(UTC)).total_seconds()
        (self.state_dir / "clock").write_text(str(ahead))

    def kill_sla(self) -> None:
        """Kill it; it is started again by itself."""
        running = facts.read(self.state_dir)
        assert running
        os.kill(running.pids["sla"], signal.SIGKILL)

    def news(self, number: str) -> list[str]:
        """What clocks and ladder did to the ticket, in order."""
        told = []
        for event in self.show(number)["timeline"]:
            name = event["type"].removeprefix("ticket.")
            data = event["data"]
            if name.startswith("sla-"):
                told.append(f"{name} {data['target']}")
            elif name == "escalated":
                told.append(f"escalated {data['step']} {data['target']}")
            elif name in ("delayed", "returned"):
                told.append(name)
        return told


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    state_dir = tmp_path_factory.mktemp("escalation")
    _write_config(state_dir / "desk.yaml")
    (state_dir / "clock").write_text("0")
    command = [
        sys.executable, "-m", "deploy.cli", "up", "--json", "--smtp", "127.0.0.1:0",
        "--config", str(state_dir / "desk.yaml"), "--state-dir", str(state_dir),
    ]  # fmt: skip
    env = {**os.environ, "POSTDESK_CLOCK_FILE": str(state_dir / "clock")}
    log = (state_dir / "up.log").open("w")
    up = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT, env=env)
    try:
        line = up.stdout.readline() if up.stdout else ""
        assert line, f"the stack did not start:\n{(state_dir / 'up.log').read_text()[-4000:]}"
        yield Desk(json.loads(line), state_dir)
    finally:
        up.send_signal(signal.SIGINT)
        try:
            up.wait(60)
        finally:
            up.kill()
            log.close()


def _write_config(path: Path) -> None:
    """The shop, and a mailbox under the telecom's targets."""
    yaml = YAML(typ="safe")
    shop, telecom = (yaml.load(PRESETS / f"{name}.yaml") for name in ("storefront", "telecom"))
    shop["priorities"] = ["low", "normal", "medium", "high", "urgent"]
    box = {"brand": "Lines", "team": "support", "department": "telecom", "priority": "urgent"}
    shop["mailboxes"].append({"address": "lines@desk.example", **box})
    shop["mailboxes"].append({**box, "address": "urgent@desk.example", "department": "technical"})
    policy = {**telecom["sla"]["policies"]["telecom"], "departments": ["telecom"]}
    shop["sla"]["policies"]["telecom"] = {**policy, "calendar": "business"}
    shop["teams"][0]["members"] = [AGENT]
    shop["teams"][0]["members"].append(SENIOR)
    shop["agents"] = [{**agent, "timezone": "UTC"} for agent in shop["agents"]]
    shop["customers"] = {"acknowledge": "all", "acknowledgements_per_hour": 1000}
    shop["agent_mail"] = {"trust": "token"}
    shop["notices"] = {"bundle": "1s", "hold": "2s", "quiet": ["23:00", "06:00"]}
    with path.open("w") as file:
        YAML().dump(shop, file)


def _agent(desk: Desk, number: str) -> Correspondent:
    """Whoever the rotation gave it to."""
    agent, _ = desk.agent_and_notice(number)
    return agent


def _told(person: Correspondent, number: str, words: str) -> Letter:
    return person.wait_for(lambda x: number in x.subject and words in x.text, within_s=60)


def _until_news(desk: Desk, number: str, wanted: list[str]) -> None:
    until(lambda: len(desk.news(number)) >= len(wanted), within_s=60)
    assert desk.news(number) == wanted


@pytest.mark.feature("S05", "S06", "S04", "S07")
def test_the_shops_ladder_is_climbed_step_by_step_though_sla_is_killed(desk: Desk) -> None:
    desk.is_at(NEW_YORK_NINE)
    emma = desk.person("emma@harbour-bakery.example", "Emma Brand")
    manager = desk.person(MANAGER)
    number, _ = desk.open_ticket(emma, "Shop is down", to="urgent@desk.example")
    agent = _agent(desk, number)
    until(lambda: desk.show(number)["sla"])

    desk.is_at("2027-03-01 14:24")  # three quarters of 30 minutes
    due_soon = _told(agent, number, "is due soon")
    desk.kill_sla()
    desk.is_at("2027-03-01 14:31")
    late = _told(agent, number, "is late, it was due Mon 01 Mar 2027 14:30")
    called = _told(manager, number, "is escalated to you")

    news = ["sla-warned first-response", "sla-breached first-response", "escalated breach first-response"]  # fmt: skip
    _until_news(desk, number, news)
    assert "AMBER" in due_soon.text
    assert "RED" in late.text
    assert "First response was due at 2027-03-01 14:30 UTC" in called.text
    assert desk.show(number)["escalated"]

    agent.answer(late, "We are on it.")
    emma.wait_for(lambda x: "We are on it." in x.text)
    desk.is_at("2027-03-01 14:45")
    emma.answer(emma.letters()[-1], "How long will it take?")
    _told(agent, number, "How long will it take?")
    desk.kill_sla()
    desk.is_at("2027-03-01 16:01")
    news += ["sla-warned resolution", "sla-breached resolution", "escalated breach resolution"]
    _until_news(desk, number, news)

    desk.is_at("2027-03-01 18:46")
    news += ["sla-warned next-response", "sla-breached next-response", "escalated breach next-response"]  # fmt: skip
    _until_news(desk, number, news)
    desk.kill_sla()
    desk.is_at("2027-03-02 15:00")  # four business hours later, over the night
    news.append("escalated senior next-response")
    _until_news(desk, number, news)
    assert desk.show(number)["assignee"] == SENIOR
    senior = desk.person(SENIOR)
    handed_over = _told(senior, number, number)
    senior.answer(handed_over, "#resolve\nIt is up again.")
    emma.wait_for(lambda x: "It is up again." in x.text)
    desk.is_at("2027-03-05 15:00")
    until(lambda: desk.show(number)["status"] == "resolved")

    assert desk.news(number) == news


@pytest.mark.feature("S01", "T13")
def test_the_telecoms_targets_run_day_and_night_and_rest_with_a_delayed_ticket(desk: Desk) -> None:
    desk.is_at("2027-03-12 22:00")
    nils = desk.person("nils@lindqvist.example", "Nils Lindqvist")
    number, _ = desk.open_ticket(nils, "Line is dead", to="lines@desk.example")
    agent, notice = desk.agent_and_notice(number)
    clocks = until(lambda: desk.show(number)["sla"])
    assert {c["target"]: c["due_at"][:16] for c in clocks} == {
        "first-response": "2027-03-12T23:00",
        "resolution": "2027-03-13T02:00",
    }

    agent.answer(notice, "#snooze 2027-03-15 08:00\nA technician comes on Monday.")
    until(lambda: "delayed" in desk.news(number))
    until(lambda: _states(desk, number) == {"first-response": "met", "resolution": "paused"})
    desk.kill_sla()
    desk.is_at("2027-03-15 08:00")
    back = _told(agent, number, "is back: it rested until Mon 15 Mar 2027 08:00")

    _until_news(desk, number, ["delayed", "returned"])
    assert desk.show(number)["status"] == "open"
    until(lambda: _states(desk, number)["resolution"] == "running")
    agent.answer(back, "#sla")
    explained = _told(agent, number, "because of: department telecom")
    assert "stopped, " in explained.text
    assert "Mon 2027-03-15 08:00  goes on" in explained.text


@pytest.mark.feature("S06")
def test_what_the_ladder_says_at_night_is_told_in_the_morning(desk: Desk) -> None:
    desk.is_at("2027-03-16 22:30")
    nils = desk.person("nils@lindqvist.example", "Nils Lindqvist")
    manager = desk.person(MANAGER)
    number, _ = desk.open_ticket(nils, "Dead again", to="lines@desk.example")
    until(lambda: desk.show(number)["sla"])

    desk.is_at("2027-03-16 23:31")
    _until_news(desk, number, ["sla-warned first-response", "sla-breached first-response", "escalated breach first-response"])  # fmt: skip
    before = [x for x in manager.letters() if number in x.subject]
    desk.is_at("2027-03-17 06:00")
    _told(manager, number, "is escalated to you")

    assert before == []


def _states(desk: Desk, number: str) -> dict[str, Any]:
    return {clock["target"]: clock["state"] for clock in desk.show(number)["sla"]}
