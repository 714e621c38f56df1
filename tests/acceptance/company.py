"""The running demo company as a test sees it: its people, and the ``postdesk`` commands about it."""

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.local import ticket_views
from deploy.local.correspondent import Correspondent, Letter
from shared import mongo

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Company:
    """The running demo company, and the people who write to it."""

    addresses: dict[str, Any]
    state_dir: Path

    def person(self, address: str, name: str = "") -> Correspondent:
        return Correspondent(
            address,
            name or address.partition("@")[0].title(),
            smtp=self.addresses["smtp"],
            mailboxes=self.state_dir / "mailboxes",
        )

    def run(self, *arguments: str, check: bool = True) -> str:
        """Standard output of a ``postdesk`` command about this stack."""
        done = subprocess.run(
            [sys.executable, "-m", "deploy.cli", *arguments, "--state-dir", str(self.state_dir)],
            check=False,
            capture_output=True,
            text=True,
            timeout=90,
            cwd=ROOT,
        )
        if check:
            assert done.returncode == 0, f"{arguments}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def show(self, ticket_id: str) -> dict[str, Any]:
        """What ``postdesk show`` prints, without the start of a process for each look."""
        return asyncio.run(self._show(ticket_id))

    def tickets(self) -> list[dict[str, Any]]:
        return json.loads(self.run("tickets", "--json"))

    async def _show(self, ticket_id: str) -> dict[str, Any]:
        client = mongo.connect(self.addresses["mongo"], service="acceptance")
        try:
            database = mongo.database(client, "tickets")
            return await ticket_views.one(database, ticket_id, now=datetime.now(UTC))
        finally:
            client.close()

    def agent_and_notice(self, number: str) -> tuple[Correspondent, Letter]:
        """Who has the ticket, and the next letter to them about it."""
        address = until(lambda: self.show(number)["assignee"])
        names = {a["address"]: a["name"] for a in self.addresses["agents"]}
        agent = self.person(address, names[address])
        return agent, agent.wait_for(lambda x: number in x.subject)

    def open_ticket(
        self, customer: Correspondent, subject: str, to: str = "support@desk.example"
    ) -> tuple[str, Letter]:
        """Write and wait for the acknowledgement; the ticket's number and that letter."""
        customer.write(to, subject, f"{subject}, please help.")
        ack = customer.wait_for(lambda x: subject in x.subject)
        return ticket_id(ack), ack


def until(condition: Callable[[], Any], within_s: float = 60) -> Any:
    """The condition's value once it is true; the limit only says when to call it a failure."""
    end = time.monotonic() + within_s
    while not (value := condition()):
        assert time.monotonic() < end, "the condition did not come true in time"
        time.sleep(0.1)
    return value


def ticket_id(letter: Letter) -> str:
    found = re.search(r"\[(T-\d+)\]", letter.subject)
    assert found, letter.subject
    return found[1]
