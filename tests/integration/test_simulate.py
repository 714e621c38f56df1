"""``postdesk sla simulate`` over events as tickets stores them in a real MongoDB."""

import json
from datetime import datetime, tzinfo
from pathlib import Path

import pytest
from pymongo import MongoClient
from typer.testing import CliRunner

from deploy.cli import build
from services.tickets import documents
from services.tickets.documents import Cause
from tests.ticket_history import History

pytestmark = pytest.mark.stack

CONFIG = """
name: Example
host: desk.example
mailboxes: [{address: support@desk.example, brand: Example, team: support}]
teams: [{name: support, members: [ana@x.example]}]
agents: [{address: ana@x.example, name: Ana}]
calendars: {all: {timezone: UTC, week: always}}
sla: {policies: {standard: {calendar: all, targets: {normal: {first_response: HOURS, resolution: 240h}}}}}
"""


class FarFuture(datetime):
    """A clock of the year 2091."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "FarFuture":
        return cls(2091, 1, 1, tzinfo=tz)


NUMBER = "T-987654001"


@pytest.fixture
def stored(mongo: str) -> str:
    """A ticket of the far future, answered after three hours; other tests' tickets are older."""
    history = History("2090-01-02 09:00", ticket_id=NUMBER)
    history.agent_answers("2090-01-02 12:00")
    history.resolved("2090-01-02 12:00", answered=True)
    with MongoClient(mongo) as client:
        database = client["postdesk_tickets"]
        rows = [documents.event_row(e, Cause("c", "c"), n) for n, e in enumerate(history.events)]
        database["events"].insert_many(rows)
        database["tickets"].insert_one({"_id": NUMBER, "clocks_seq": 0})
        yield mongo
        database["events"].delete_many({"ticket_id": NUMBER})
        database["tickets"].delete_one({"_id": NUMBER})


@pytest.mark.feature("S08")
def test_breaches_now_and_then_are_counted_by_team_and_priority(
    stored: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, new = tmp_path / "now.yaml", tmp_path / "new.yaml"
    now.write_text(CONFIG.replace("HOURS", "4h"))
    new.write_text(CONFIG.replace("HOURS", "2h"))
    monkeypatch.setattr("deploy.cli.simulate.datetime", FarFuture)

    told = CliRunner().invoke(
        build(["sla"]),
        [
            *("sla", "simulate", "--config", str(new), "--current", str(now)),
            *("--mongo", stored, "--since", "2090-01-01", "--json"),
        ],
    )

    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    assert (found["tickets"], found["now"], found["then"]) == (1, 0, 1)
    assert found["groups"] == [{"team": "support", "priority": "normal", "now": 0, "then": 1}]
    (example,) = found["examples"]
    assert (example["ticket"], example["target"], example["now_due_at"]) == (NUMBER, "first-response", None)  # fmt: skip
    assert example["then_due_at"].startswith("2090-01-02 11:00")
