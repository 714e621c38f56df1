"""What others need to know of a running stack; kept in ``stack.json`` in its state folder."""

import json
import os
import re
from pathlib import Path
from typing import Any

import psutil
from pydantic import BaseModel, ConfigDict

from deploy.local.errors import StackError

FILE = "stack.json"
_PASSWORD = re.compile(r"(?<=//)([^/@:]*:)[^/@]*(?=@)")


class Person(BaseModel):
    """A customer of the demo, or somebody who works at the desk."""

    address: str
    name: str
    account: str = ""
    role: str = ""
    team: str = ""
    desk_address: str = ""

    def shown(self) -> dict[str, str]:
        """Return the fields that are set."""
        return self.model_dump(exclude_defaults=True)


class StackFacts(BaseModel):
    """Addresses are ``host:port``, except ``mongo`` (a URI) and ``metrics`` (URLs)."""

    model_config = ConfigDict(extra="ignore")

    smtp: str
    """Where the desk takes mail."""
    more_doors: list[str] = []
    """Where it does too, if there are more processes of ingest."""
    imap: str = ""
    """Where the local mailboxes are read; empty when mail leaves through a real relay."""
    outgoing: str = ""
    """The local mail server's SMTP: what a mail program of customer or agent sends through."""
    relay: str
    """Where the desk's own mail goes."""
    kafka: str
    mongo: str
    metrics: dict[str, str]
    mailboxes: list[str]
    customers: list[Person] = []
    agents: list[Person] = []
    state_dir: str
    config: str
    providers: dict[str, str] = {}
    pid: int
    started_at: float
    """Start of the process ``pid``, in seconds since 1970: tells it from a later one."""
    pids: dict[str, int] = {}

    def shown(self) -> dict[str, Any]:
        """Return what ``up --json`` prints: without the password of a given MongoDB."""
        return {**self.stored(), "mongo": without_password(self.mongo)}

    def stored(self) -> dict[str, Any]:
        """Return what is written down for other commands."""
        people = {"customers", "agents"}
        rows = {name: [p.shown() for p in getattr(self, name)] for name in people}
        return {**self.model_dump(exclude=people), **rows}

    def is_running(self) -> bool:
        """Say whether the process that looks after the stack lives."""
        return is_process(self.pid, self.started_at)


def without_password(uri: str) -> str:
    """Return the URI with stars where its password is."""
    return _PASSWORD.sub(r"\1***", uri)


def is_process(pid: int, started_at: float) -> bool:
    """Say whether that very process runs, and is no zombie."""
    try:
        found = psutil.Process(pid)
        same = abs(found.create_time() - started_at) < 2  # noqa: PLR2004 - clocks are set now and then
        return same and found.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def own_start() -> float:
    """Return when this process started."""
    return psutil.Process(os.getpid()).create_time()


def write(facts: StackFacts) -> Path:
    """Store the facts atomically; the file may hold passwords of given addresses: owner only."""
    path = Path(facts.state_dir) / FILE
    part = path.with_suffix(".part")
    part.touch(mode=0o600)
    part.write_text(json.dumps(facts.stored(), indent=1) + "\n")
    part.replace(path)
    return path


def read(state: Path) -> StackFacts | None:
    """Return the facts of the stack that runs with this state folder, or None."""
    try:
        facts = StackFacts.model_validate_json((state / FILE).read_text())
    except (FileNotFoundError, ValueError):
        return None
    return facts if facts.is_running() else None


def running(state: Path) -> StackFacts:
    """Return the facts of the running stack.

    Raises:
        StackError: none runs with this state folder.
    """
    facts = read(state)
    if facts is None:
        raise StackError(
            f"No stack is running with the state folder {state}.",
            remedy="start one with 'postdesk up' (or 'make up'), or name its --state-dir.",
        )
    return facts
