"""Child processes of a stack: started on a leash, logged to a file, ended politely and then not."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import NotReadyError

LEASH = Path(__file__).with_name("leash.py")
MAX_LOG_BYTES = 10 * 1024 * 1024
POLL_S = 0.05


@dataclass
class Child:
    """A running part of the stack."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its process group."""
        return self.popen.pid

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended yet."""
        return self.popen.poll() is None


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    niceness: int = 0,
) -> Child:
    """Start a command in its own process group, its output appended to ``log``.

    On Linux it is killed when the calling thread ends, so call this from the main thread.
    ``env`` is added to this process's environment. With ``niceness`` above 0 the command leaves the
    CPU to others while there is not enough of it.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    _rotate(log)
    leash = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), str(niceness)]
    with log.open("ab") as output:
        popen = subprocess.Popen(
            [*leash, *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            start_new_session=True,
        )
    return Child(name, popen, log)


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
        log.replace(log.with_suffix(log.suffix + ".1"))


def signal_group(child: Child, number: signal.Signals) -> None:
    """Send a signal to the child and everything it started; one that has ended is no error."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, number)


def stop(*children: Child, grace_s: float = 10.0) -> None:
    """End the children together: SIGTERM to each, then SIGKILL to what is left of its group."""
    for child in children:
        if child.is_running:
            child.popen.terminate()
    deadline = time.monotonic() + grace_s
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.popen.wait(max(0.0, deadline - time.monotonic()))
        signal_group(child, signal.SIGKILL)
        child.popen.wait()


def wait_until(
    condition: Callable[[], bool], child: Child | None, *, part: str, timeout_s: float, remedy: str
) -> None:
    """Wait for a condition of a part of the stack.

    Raises:
        NotReadyError: the child ended, or the condition does not hold after ``timeout_s``.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        tail = tail_of(child.log) if child else ""
        if child and not child.is_running:
            cause = f"{part} ended by itself with code {child.popen.returncode}."
            raise NotReadyError(cause, remedy=remedy, log_tail=tail)
        if time.monotonic() > deadline:
            cause = f"{part} was not ready after {timeout_s:.0f} s."
            raise NotReadyError(cause, remedy=remedy, log_tail=tail)
        time.sleep(POLL_S)


def tail_of(log: Path, *, lines: int = 15) -> str:
    """Return the last lines of a log; an absent log is empty."""
    with suppress(FileNotFoundError):
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    return ""
