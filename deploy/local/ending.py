"""Ends a stack from outside: asks the process that looks after it, then makes sure."""

import time
from contextlib import suppress

import psutil

from deploy.local.facts import StackFacts

POLITE_S = 90.0
POLL_S = 0.05


def end(running: StackFacts) -> None:
    """Return when the stack's process and all that it started are gone."""
    try:
        owner = psutil.Process(running.pid)
        family = [owner, *owner.children(recursive=True)]
        owner.terminate()
    except psutil.NoSuchProcess:
        return
    deadline = time.monotonic() + POLITE_S
    while (left := [one for one in family if _runs(one)]) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    for one in left:
        with suppress(psutil.NoSuchProcess):
            one.kill()


def _runs(process: psutil.Process) -> bool:
    """Say whether it runs; a zombie has ended, whenever its parent may take notice."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
