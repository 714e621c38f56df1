"""Ends a stack from outside: asks the process that looks after it, then makes sure."""

import psutil

from deploy.local.facts import StackFacts

POLITE_S = 90.0


def end(running: StackFacts) -> None:
    """Return when the stack's process and all that it started are gone."""
    try:
        owner = psutil.Process(running.pid)
    except psutil.NoSuchProcess:
        return
    family = [owner, *owner.children(recursive=True)]
    owner.terminate()
    _, alive = psutil.wait_procs(family, timeout=POLITE_S)
    for one in alive:
        one.kill()
    psutil.wait_procs(alive, timeout=5)
