"""The processes of a stack that are this project's own: the five services and the mail server."""

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local import health, ports, process

SERVICES = ("ingest", "tickets", "sla", "notify", "reports")
YIELDS = 5
"""How far those step back that nobody waits for while a mail is answered (see nice(2))."""
NICENESS = {"sla": YIELDS, "reports": YIELDS}
ROOT = Path(__file__).resolve().parents[2]
READY_S = 120.0
GRACE_S = 30.0  # longer than a service takes for the batch in hand (shared.service.STOP_S)
REMEDY = "see the log, or run 'postdesk doctor'."


@dataclass
class Program:
    """A Python program of this project, run as a child process."""

    name: str
    arguments: Sequence[str]
    env: dict[str, str]
    log: Path
    is_ready: Callable[[], bool]
    niceness: int = 0
    child: process.Child | None = None

    def launch(self) -> None:
        """Start it, after ending what an earlier run may have left of its children."""
        if self.child:
            process.signal_group(self.child, signal.SIGKILL)
        # -P: the folder where the user stands must not hide modules.
        command = [sys.executable, "-P", *self.arguments]
        self.child = process.start(
            self.name,
            command,
            log=self.log,
            env=python_env() | self.env,
            niceness=self.niceness,
        )

    def wait_ready(self) -> None:
        """Return when it is ready; raises ``NotReadyError`` with the end of its log."""
        what = f"The part '{self.name}'"
        process.wait_until(self.is_ready, self.child, part=what, timeout_s=READY_S, remedy=REMEDY)

    def is_alive(self) -> bool:
        """Say whether the process runs."""
        return self.child is not None and self.child.is_running


def python_env() -> dict[str, str]:
    """Return the environment with which a child finds this code wherever it is started."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def service(
    name: str, state: Path, env: Mapping[str, str], endpoint: str, *, number: int = 1
) -> Program:
    """Return one of the five services; ``endpoint`` is where it answers for its health.

    ``number`` tells processes of one service apart; the second one is the part ``NAME-2``.
    """
    called = name if number == 1 else f"{name}-{number}"
    scratch = state / "services" / called
    scratch.mkdir(parents=True, exist_ok=True)
    own = {
        "POSTDESK_HEALTH": endpoint,
        "POSTDESK_STATE_DIR": str(scratch),
        "POSTDESK_INSTANCE": str(number),
    }
    return Program(
        name=called,
        arguments=["-m", f"services.{name}"],
        env={**env, **own},
        log=state / "logs" / f"{called}.log",
        is_ready=lambda: health.is_ready(endpoint),
        niceness=NICENESS.get(name, 0),
    )


def mail_server(
    state: Path, *, desk: str, outgoing: str, imap: str, mailboxes: Sequence[str]
) -> Program:
    """Return the local mail server, which hands mail to ``mailboxes`` on to the desk."""
    own = [word for address in mailboxes for word in ("--desk-mailbox", address)]
    where = ["--smtp", outgoing, "--imap", imap, "--mailboxes", str(state / "mailboxes")]
    listens = [ports.split_address(address) for address in (outgoing, imap)]
    return Program(
        name="mail",
        arguments=["-m", "deploy.local.sink", *where, "--desk", desk, *own],
        env={},
        log=state / "logs" / "mail.log",
        is_ready=lambda: all(ports.is_open(host, port) for host, port in listens),
    )


def stop(programs: Sequence[Program]) -> None:
    """End all: those that take mail in first, then the others together."""
    begun = [program for program in programs if program.child]
    doors = [program for program in begun if program.name.startswith(SERVICES[0])]
    for some in (doors, [program for program in begun if program not in doors]):
        process.stop(*(program.child for program in some if program.child), grace_s=GRACE_S)
