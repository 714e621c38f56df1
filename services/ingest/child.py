"""A parser process: reads mails from standard input, writes readings to standard output.

It may be killed at any time. It confines itself: CPU time for each mail, memory in all, no files.
"""

import contextlib
import gc
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from services.ingest.frames import pack, read_frame
from services.ingest.reading import Reading
from services.ingest.reducing import read, read_headers


def main() -> None:
    """Serve until the parent closes the pipe."""
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not break the frames
    _warm_up()
    gc.freeze()
    _confine(int(sys.argv[1]))
    _send(answers, {"ready": True}, [])
    while (frame := read_frame(requests)) is not None:
        head, mails = frame
        for raw in mails:
            with _cpu_limit(float(head["cpu_s"])):
                reading = _read(head, raw)
            found = {"fields": reading.fields, "blobs": reading.blobs}
            _send(answers, {**found, "wants_raw": reading.wants_raw}, reading.contents)


def _send(answers: IO[bytes], head: dict[str, Any], contents: Sequence[bytes]) -> None:
    for part in pack(head, contents):
        answers.write(part)
    answers.flush()


def _read(head: dict[str, Any], raw: bytes) -> Reading:
    if "claim" in head:
        return _check(head, raw)
    reason = str(head.get("reason", ""))
    return read_headers(raw, reason) if reason else read(raw, head.get("trusted", ()))


def _check(head: dict[str, Any], raw: bytes) -> Reading:
    """Judge the sender; what this needs is loaded by the first such mail."""
    from services.ingest import verify

    signed = verify.Signed(**head["signed"]) if head["signed"] else None
    outcome = verify.check(raw, verify.Claim(**head["claim"]), head["answers"], signed)
    return Reading(verify.as_json(outcome))


def _warm_up() -> None:
    """Load what the first mail would load, so that it is not the first mail that pays."""
    read(
        b"From: a@example.com\r\nSubject: =?utf-8?q?x?=\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>x</p>\r\n",
        (),
    )


@contextlib.contextmanager
def _cpu_limit(seconds: float) -> Any:
    """Have the kernel end the process after that much CPU time, whatever code is running."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _confine(memory_bytes: int) -> None:
    import resource

    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with contextlib.suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        limit = pages * resource.getpagesize() + memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == "__main__":
    main()
