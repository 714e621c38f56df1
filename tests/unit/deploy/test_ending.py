import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from deploy.local import ending
from deploy.local.facts import StackFacts

FOREVER = "import time; time.sleep(600)"


def facts_of(pid: int, state: Path) -> StackFacts:
    return StackFacts(
        smtp="", relay="", kafka="", mongo="", metrics={}, mailboxes=[], state_dir=str(state),
        config="", pid=pid, started_at=psutil.Process(pid).create_time(),
    )  # fmt: skip


def test_a_process_that_nobody_has_reaped_yet_counts_as_ended(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", FOREVER]) as owner:
        began = time.monotonic()

        ending.end(facts_of(owner.pid, tmp_path))

        assert psutil.Process(owner.pid).status() == psutil.STATUS_ZOMBIE
        assert time.monotonic() - began < ending.POLITE_S


def test_what_will_not_end_is_killed_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "POLITE_S", 0.1)
    code = (
        "import signal,subprocess,sys,time; signal.signal(15, signal.SIG_IGN);"
        f"print(subprocess.Popen([sys.executable, '-c', {FOREVER!r}]).pid, flush=True);"
        "time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as owner:
        assert owner.stdout
        child = psutil.Process(int(owner.stdout.readline()))

        ending.end(facts_of(owner.pid, tmp_path))

    assert not child.is_running() or child.wait(20) is None


def test_a_stack_that_has_ended_meanwhile_is_no_error(tmp_path: Path) -> None:
    facts = facts_of(os.getpid(), tmp_path).model_copy(update={"pid": 2**22 + 1})

    ending.end(facts)
