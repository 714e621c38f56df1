import json
import os
import stat
from pathlib import Path

import pytest

from deploy.local import facts
from deploy.local.errors import StackError
from deploy.local.facts import Person, StackFacts


def some_facts(state: Path, **changes: object) -> StackFacts:
    values = {
        "smtp": "127.0.0.1:2525",
        "relay": "127.0.0.1:1025",
        "kafka": "127.0.0.1:9092",
        "mongo": "mongodb://127.0.0.1/",
        "metrics": {"ingest": "http://127.0.0.1:1/metrics"},
        "mailboxes": ["support@desk.example"],
        "customers": [Person(address="emma@x.example", name="Emma", account="A-1")],
        "agents": [
            Person(
                address="ana@x.example",
                name="Ana",
                role="agent",
                team="t",
                desk_address="support+x@y",
            )
        ],
        "state_dir": str(state),
        "config": "desk.yaml",
        "pid": os.getpid(),
        "started_at": facts.own_start(),
    }
    return StackFacts.model_validate(values | changes)


def test_other_commands_find_the_running_stack(tmp_path: Path) -> None:
    written = some_facts(tmp_path)

    facts.write(written)

    assert facts.running(tmp_path) == written


def test_people_have_the_keys_that_programs_rely_on(tmp_path: Path) -> None:
    shown = json.loads(json.dumps(some_facts(tmp_path).shown()))

    assert shown["customers"] == [{"address": "emma@x.example", "name": "Emma", "account": "A-1"}]
    assert set(shown["agents"][0]) == {"address", "name", "role", "team", "desk_address"}
    assert {"smtp", "imap", "kafka", "mongo", "metrics", "mailboxes"} <= set(shown)


def test_only_the_owner_may_read_addresses_that_may_hold_passwords(tmp_path: Path) -> None:
    path = facts.write(some_facts(tmp_path))

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("changes", [{"pid": 2**22 + 1}, {"started_at": 1.0}])
def test_what_a_dead_stack_left_behind_is_not_a_stack(tmp_path: Path, changes: dict) -> None:
    facts.write(some_facts(tmp_path, **changes))

    with pytest.raises(StackError, match="No stack is running"):
        facts.running(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"smtp": 1}'])
def test_a_damaged_file_is_no_stack(tmp_path: Path, text: str) -> None:
    (tmp_path / facts.FILE).write_text(text)

    assert facts.read(tmp_path) is None
