"""The running demo company as a test sees it: its people, and the ``postdesk`` commands about it."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.correspondent import Correspondent, Letter

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
        return json.loads(self.run("show", ticket_id, "--json"))

    def tickets(self) -> list[dict[str, Any]]:
        return json.loads(self.run("tickets", "--json"))


def ticket_id(letter: Letter) -> str:
    found = re.search(r"\[(T-\d+)\]", letter.subject)
    assert found, letter.subject
    return found[1]
