"""``postdesk sla``: one question, or a line of JSON for each."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy.cli import build

CONFIG = """
name: Example
host: desk.example
mailboxes: [{address: support@desk.example, brand: Example, team: support}]
teams: [{name: support, members: [ana@x.example]}]
agents: [{address: ana@x.example, name: Ana}]
calendars: {office: {timezone: Europe/Berlin, week: {fri: [["09:00", "17:00"]], mon: [["09:00", "17:00"]]}}}
"""
NIGHT = {"timezone": "UTC", "week": {"fri": [["22:00", "06:00"]]}}


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "desk.yaml").write_text(CONFIG)
    return str(tmp_path / "desk.yaml")


def postdesk(*arguments: str, lines: str = "") -> Result:
    return CliRunner().invoke(build(["sla"]), ["sla", *arguments], input=lines)


def test_a_deadline_is_told_in_utc(config: str) -> None:
    told = postdesk(
        "deadline",
        "--config",
        config,
        "--calendar",
        "office",
        "--from",
        "2026-11-20T16:00:00+01:00",
        "--add",
        "8h",
    )

    assert json.loads(told.stdout) == {"due_at": "2026-11-23T15:00:00Z"}


def test_elapsed_time_is_told_in_seconds(config: str) -> None:
    told = postdesk(
        "elapsed",
        "--config",
        config,
        "--calendar",
        "office",
        "--from",
        "2026-11-20T15:00Z",
        "--to",
        "2026-11-23T09:00Z",
    )

    assert json.loads(told.stdout) == {"business_s": 2 * 3600}


def test_a_batch_is_answered_line_by_line_and_a_bad_line_is_no_end(config: str) -> None:
    cases = [
        {"calendar": NIGHT, "from": "2026-11-20T22:00:00Z", "add_s": 3600},
        {"calendar": "office", "from": "2026-11-23T09:00:00Z", "to": "2026-11-20T15:00:00Z"},
        {
            "calendar": {"timezone": "Mars/Phobos", "week": "always"},
            "from": "2026-11-20T22:00:00Z",
            "add_s": 1,
        },
        {"calendar": "office", "from": "2026-11-20T22:00:00Z"},
        {"calendar": "office", "from": "2026-11-20T22:00:00", "add_s": 1},
        {"calendar": NIGHT, "from": "2026-11-20T00:00:00Z", "to": "2026-11-22T00:00:00Z"},
    ]

    told = postdesk(
        "deadline",
        "--config",
        config,
        "--batch",
        lines="\n".join(map(json.dumps, cases)) + "\nnot JSON\n",
    )

    answers = [json.loads(line) for line in told.stdout.splitlines()]
    assert answers[0] == {"due_at": "2026-11-20T23:00:00Z"}
    assert answers[5] == {"business_s": 8 * 3600}
    reasons = [
        "is before",
        "unknown time zone",
        "'add_s' is missing",
        "no offset",
        "Expecting value",
    ]
    told_of = [answers[n]["error"] for n in (1, 2, 3, 4, 6)]
    assert all(reason in error for reason, error in zip(reasons, told_of, strict=True))
    assert told.exit_code == 1


def test_a_batch_without_a_bad_line_ends_well() -> None:
    case = {"calendar": NIGHT, "from": "2026-11-20T22:00:00Z", "add_s": 0}

    assert postdesk("deadline", "--batch", lines=json.dumps(case)).exit_code == 0


def test_a_calendar_that_is_not_there_is_named_with_those_that_are(config: str) -> None:
    told = postdesk(
        "deadline",
        "--config",
        config,
        "--calendar",
        "night",
        "--from",
        "2026-11-20T16:00Z",
        "--add",
        "8h",
    )

    assert told.exit_code == 1
    assert "unknown calendar 'night'; known: office" in told.output
