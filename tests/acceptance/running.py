"""Starts a whole desk for tests, as ``postdesk up`` does for anybody."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from deploy.local.parts import SERVICES
from tests.acceptance.company import ROOT, Company, until
from tests.leaks import service_logs

STOP_S = 180  # on a busy machine


def demo_desk() -> dict[str, Any]:
    """The demo company's configuration, to be changed."""
    return YAML(typ="safe").load(ROOT / "deploy/presets/demo.yaml")


@contextmanager
def running_desk(state_dir: Path, desk: dict[str, Any]) -> Iterator[Company]:
    """The desk with this configuration, until the block ends; its logs are at the chattiest level."""
    config = state_dir / "desk.yaml"
    with config.open("w") as file:
        YAML().dump(desk, file)
    command = [
        sys.executable, "-m", "deploy.cli", "up", "--json", "--smtp", "127.0.0.1:0",
        "--config", str(config), "--state-dir", str(state_dir),
    ]  # fmt: skip
    log = (state_dir / "up.log").open("w")
    # The chattiest level: not even there may logs tell of mails (test_logs).
    env = {**os.environ, "POSTDESK_LOG_LEVEL": "DEBUG"}
    up = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT, env=env)
    try:
        line = up.stdout.readline() if up.stdout else ""
        assert line, f"the stack did not start:\n{(state_dir / 'up.log').read_text()[-4000:]}"
        yield Company(json.loads(line), state_dir)
    finally:
        up.send_signal(signal.SIGINT)
        try:
            up.wait(STOP_S)
        finally:
            up.kill()
            log.close()


def configuration(company: Company) -> dict[str, Any]:
    """The file that the running desk follows, to be changed."""
    return YAML(typ="safe").load((company.state_dir / "desk.yaml").read_text())


def reconfigure(company: Company, desk: dict[str, Any]) -> None:
    """Give the running desk another file, and wait until all its services follow it."""
    earlier = {name: starts(company, name) for name in SERVICES}
    with (company.state_dir / "desk.yaml").open("w") as file:
        YAML().dump(desk, file)
    until(lambda: all(len(starts(company, n)) > len(earlier[n]) for n in SERVICES), within_s=90)


def starts(company: Company, name: str) -> list[str]:
    """The configurations with which a service says that it has started."""
    [log] = [log for log in service_logs(company.state_dir) if name in log.name]
    lines = [json.loads(line) for line in log.read_text().splitlines() if '"started"' in line]
    return [line["desk"] for line in lines if line["event"] == "started"]


def acceptance_desk() -> dict[str, Any]:
    """The demo company, with a priority whose targets run out within seconds, day and night."""
    desk = demo_desk()
    desk["priorities"].append("flash")
    desk["calendars"]["always"] = {"timezone": "UTC", "week": "always"}
    policy = desk["sla"]["policies"]["standard"]
    policy["targets"]["flash"] = {"first_response": "2s", "resolution": "4s"}
    desk["mailboxes"].append(
        {
            "address": "alarm@desk.example",
            "brand": "Nordlicht Alarm",
            "department": "alarms",
            "team": "alarm",
            "priority": "flash",
        }
    )
    policy["clock"] = "calendar"
    policy["calendar"] = "always"
    desk["teams"].append(
        {
            "name": "alarm",
            "members": ["lena@desk-team.example"],
            "manager": "marta@desk-team.example",
        }
    )
    desk["sla"]["policies"]["gold"] = {
        "calendar": "always",
        "targets": {"normal": {"first_response": "30m", "resolution": "2h"}},
    }
    rule = {"name": "gold", "when": {"words": ["gold contract"]}, "then": {"sla_policy": "gold"}}
    desk["routing"]["rules"].append(rule)
    desk["intake"] = {
        "priority": {"use": True, "mailboxes": ["support@desk.example"]},
        "spam": {"action": "quarantine"},
        "questionnaires": [
            {
                "departments": ["alarms"],
                "questions": [
                    {"field": "serial", "text": "What is the serial number of the device?"},
                    {"field": "since", "text": "Since when does it happen?"},
                ],
            }
        ],
    }
    desk["notices"] = {"bundle": "1s", "hold": "2s"}
    return desk
