"""One real stack for all acceptance tests: SMTP in, Kafka, MongoDB, five services, SMTP out."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.acceptance.company import ROOT, Company

START_S = 240


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    state_dir = tmp_path_factory.mktemp("desk")
    config = state_dir / "desk.yaml"
    _write_config(config)
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
            up.wait(60)
        finally:
            up.kill()
            log.close()


def _write_config(path: Path) -> None:
    """The demo company, with a priority whose targets run out within seconds, day and night."""
    yaml = YAML(typ="safe")
    desk = yaml.load(ROOT / "deploy/presets/demo.yaml")
    desk["priorities"].append("flash")
    desk["calendars"]["always"] = {"timezone": "UTC", "week": "always"}
    policy = desk["sla"]["policies"]["standard"]
    policy["targets"]["flash"] = {"first_response": "2s", "resolution": "4s"}
    desk["mailboxes"].append(
        {
            "address": "alarm@desk.example",
            "brand": "Nordlicht Alarm",
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
    desk["notices"] = {"bundle": "1s", "hold": "2s"}
    with path.open("w") as file:
        YAML().dump(desk, file)
