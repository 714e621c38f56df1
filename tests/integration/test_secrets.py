"""Secrets come from the environment and from files, and nothing that the desk says repeats them."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from pymongo import MongoClient

from deploy.local.providers.choice import choose
from tests.acceptance.company import ROOT

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

MONGO_PASSWORD = "canary-of-the-store"
RELAY_PASSWORD = "canary-of-the-relay"
KEY = base64.b64encode(b"canary-of-the-signed-addresses!!").decode()
SECRETS = (MONGO_PASSWORD, RELAY_PASSWORD, KEY)


@dataclass
class Desk:
    """A stack whose MongoDB, relay and addresses have secrets."""

    state: Path
    environment: dict[str, str]
    said: str = ""
    """What ``up`` printed."""

    def says(self, *words: str) -> str:
        return run((*words, "--state-dir", str(self.state)), self.environment)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    state = tmp_path_factory.mktemp("secrets")
    keys = state / "keys.json"
    keys.write_text(json.dumps({"current": 1, "keys": {"1": KEY}}))
    backends = choose(state / "backends")
    backends.start()
    uri = backends.mongo.address
    with MongoClient(uri) as client:
        client.admin.command("createUser", "desk", pwd=MONGO_PASSWORD, roles=["root"])
    environment = {
        "POSTDESK_MONGO": uri.replace("//", f"//desk:{MONGO_PASSWORD}@") + "&authSource=admin",
        "POSTDESK_KAFKA": backends.kafka.address,
        "POSTDESK_RELAY_USER": "desk",
        "POSTDESK_RELAY_PASSWORD": RELAY_PASSWORD,
        "POSTDESK_LOG_LEVEL": "DEBUG",
    }
    try:
        desk = Desk(state, environment)
        desk.said = desk.says("up", "--detach", "--smtp", "127.0.0.1:0")
        yield desk
        desk.says("down")
    finally:
        backends.stop()


def run(words: tuple[str, ...], environment: dict[str, str]) -> str:
    """All that a ``postdesk`` command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cli", *words],
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
        cwd=ROOT,
        env=os.environ | environment,
    )
    return done.stdout + done.stderr


def secrets_in(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


def test_no_command_prints_a_secret(desk: Desk) -> None:
    commands = [("status",), ("status", "--json"), ("doctor", "--json"), ("ledger", "--json")]

    printed = {"up": desk.said} | {" ".join(words): desk.says(*words) for words in commands}

    assert all(printed.values())
    assert {name: secrets_in(text) for name, text in printed.items() if secrets_in(text)} == {}
    assert "desk:***@" in printed["status --json"]


def test_no_log_and_no_command_line_has_a_secret(desk: Desk) -> None:
    logs = {path.name: path.read_text() for path in (desk.state / "logs").glob("*.log")}
    pids = json.loads(desk.says("status", "--json"))["processes"]
    lines = {one["name"]: " ".join(psutil.Process(one["pid"]).cmdline()) for one in pids}
    up = json.loads((desk.state / "stack.json").read_text())["pid"]
    lines["up"] = " ".join(psutil.Process(up).cmdline())

    assert {"notify.log", "ingest.log"} <= logs.keys()
    assert {
        name: secrets_in(text) for name, text in (logs | lines).items() if secrets_in(text)
    } == {}


def test_what_other_commands_read_is_for_its_owner_alone(desk: Desk) -> None:
    file = desk.state / "stack.json"

    assert MONGO_PASSWORD in file.read_text()
    assert file.stat().st_mode & 0o077 == 0


def test_a_secret_in_the_wrong_file_is_refused_without_being_repeated(
    desk: Desk, tmp_path: Path
) -> None:
    config = tmp_path / "desk.yaml"
    text = (ROOT / "deploy/presets/demo.yaml").read_text()
    config.write_text(f"{text}relay_password: {RELAY_PASSWORD}\n")

    said = run(("config", "check", str(config), "--json"), desk.environment)

    assert "relay_password" in said
    assert secrets_in(said) == []
