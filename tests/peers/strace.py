"""Watches the system calls of running processes with Debian's strace, and makes some of them fail."""

import re
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ATTACH_S = 20.0
SHOWN_BYTES = 4096
"""As much of each buffer is in the trace."""

_LINE = re.compile(r"^(\d+) +(.*)$")
_RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>(.*)$")
_UNFINISHED = " <unfinished ...>"
_DETACHED = " <detached ...>"


@dataclass(frozen=True)
class Call:
    """One system call; ``begun`` and ``ended`` are line numbers of the trace, so they say the order.

    strace stops a thread before and after each call, and nothing that follows from a call can
    happen before it has seen the call's end.
    """

    name: str
    text: str
    result: str
    begun: int
    ended: int


@contextmanager
def traced(pids: Sequence[int], expression: Sequence[str], output: Path) -> Iterator[None]:
    """Trace these processes and their threads inside the ``with``; ``expression`` as for ``-e``."""
    command = ["strace", "-f", "-yy", "-s", str(SHOWN_BYTES), "-o", str(output)]
    command += [word for one in expression for word in ("-e", one)]
    command += [word for pid in pids for word in ("-p", str(pid))]
    with output.with_suffix(".err").open("w+b") as said:
        tracer = subprocess.Popen(command, stderr=said)
        try:
            _wait_until_attached(tracer, pids, Path(said.name))
            yield
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.wait(ATTACH_S)


def _wait_until_attached(tracer: subprocess.Popen[bytes], pids: Sequence[int], said: Path) -> None:
    deadline = time.monotonic() + ATTACH_S
    while not all(f"Process {pid} attached" in said.read_text() for pid in pids):
        assert tracer.poll() is None, said.read_text()
        assert time.monotonic() < deadline, said.read_text()
        time.sleep(0.05)


def calls(trace: str) -> list[Call]:
    """The calls of a trace in the order of their beginnings; the last ones may have no result."""
    found: list[Call] = []
    open_by_thread: dict[str, tuple[str, int]] = {}
    for number, line in enumerate(trace.splitlines()):
        match = _LINE.match(line)
        if not match:
            continue
        thread, text = match[1], match[2]
        begun = number
        if text.endswith(_UNFINISHED):
            open_by_thread[thread] = (text.removesuffix(_UNFINISHED), number)
            continue
        if resumed := _RESUMED.match(text):
            before, begun = open_by_thread.pop(thread, ("", number))
            text = before + resumed[2]
        text = text.replace(_DETACHED, ") = ?")
        name, is_call, _ = text.partition("(")
        call, equals, result = text.rpartition(" = ")
        if is_call and equals:
            found.append(Call(name, call, result, begun, number))
    return sorted(found, key=lambda call: call.begun)
