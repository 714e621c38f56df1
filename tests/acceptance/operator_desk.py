"""An operator of the company: runs commands about its stack, and can break things."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Producer
from typer.testing import CliRunner

from deploy.cli import build
from deploy.local import facts
from tests.acceptance.company import Company


class Operator:
    """Somebody with the command line, and with tools to break things."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._producer = Producer({"bootstrap.servers": company.addresses["kafka"]})

    def run(self, *arguments: str) -> tuple[int, str]:
        """Exit code and output of a command, run in this process: a new one costs a second."""
        given = [*arguments, "--state-dir", str(self._company.state_dir)]
        done = CliRunner().invoke(build([arguments[0]]), given)
        return done.exit_code, done.stdout

    def ask(self, *arguments: str) -> Any:
        """What a command prints as JSON."""
        return json.loads(self.run(*arguments, "--json")[1])

    def letters(self, record_id: str, *options: str) -> list[dict[str, Any]]:
        return [x for x in self.ask("dlq", "list", *options) if x["record_id"] == record_id]

    def publish(self, topic: str, name: str, kind: str, data: Any, **headers: str) -> None:
        """Put a record on a topic, sound or not."""
        given = {
            "ce_specversion": "1.0", "ce_id": name, "ce_type": kind, "ce_source": "test",
            "ce_time": "2026-11-22T09:00:00Z", **headers,
        }  # fmt: skip
        value = data if isinstance(data, bytes) else json.dumps(data).encode()
        self._producer.produce(topic, value, name, headers=given)
        assert self._producer.flush(20) == 0


@contextmanager
def stopped(company: Company, *services: str) -> Iterator[None]:
    """These services stand still, with whatever they have in hand."""
    running = facts.read(company.state_dir)
    assert running
    pids = [running.pids[name] for name in services]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
