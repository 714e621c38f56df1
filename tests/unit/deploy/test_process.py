import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from deploy.local import process
from deploy.local.errors import NotReadyError

FOREVER = "import time; time.sleep(600)"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def ended(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def eventually(condition) -> bool:
    deadline = time.monotonic() + 20
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def test_output_is_kept_in_the_log(tmp_path: Path) -> None:
    child = process.start("it", python("print('hello')"), log=tmp_path / "logs" / "it.log")

    child.popen.wait()

    assert process.tail_of(child.log) == "hello"


def test_only_the_end_of_a_log_is_shown(tmp_path: Path) -> None:
    log = tmp_path / "it.log"
    log.write_text("\n".join(map(str, range(100))))

    assert process.tail_of(log, lines=2) == "98\n99"


def test_a_large_log_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MAX_LOG_BYTES", 3)
    (tmp_path / "it.log").write_text("old log")

    process.start("it", python("print('new')"), log=tmp_path / "it.log").popen.wait()

    assert (tmp_path / "it.log").read_text() == "new\n"
    assert (tmp_path / "it.log.1").read_text() == "old log"


def test_a_child_that_ends_before_it_is_ready_is_reported_with_its_log(tmp_path: Path) -> None:
    child = process.start("it", python("raise SystemExit('no room')"), log=tmp_path / "it.log")

    with pytest.raises(NotReadyError) as caught:
        process.wait_until(lambda: False, child, part="It", timeout_s=30, remedy="make room")

    assert "It ended by itself with code 1" in str(caught.value)
    assert "What helps: make room" in str(caught.value)
    assert "no room" in str(caught.value)


# Elsewhere nice(2) ranks all processes of a machine; there is nothing more to write down.
@pytest.mark.skipif(sys.platform != "linux", reason="autogroups are Linux's alone")
def test_a_child_steps_back_behind_other_sessions(tmp_path: Path) -> None:
    own = Path("/proc/self/autogroup")
    code = f"import os; from pathlib import Path; print(os.nice(0), Path('{own}').exists() and Path('{own}').read_text())"
    child = process.start("it", python(code), log=tmp_path / "it.log", niceness=5)

    child.popen.wait()

    niceness, group = process.tail_of(child.log).split(maxsplit=1)
    assert int(niceness) == os.nice(0) + 5
    assert group.strip().endswith("nice 5") or not own.exists()


def test_a_child_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    child = process.start("it", python(FOREVER), log=tmp_path / "it.log")

    with pytest.raises(NotReadyError, match="It was not ready after 0 s"):
        process.wait_until(lambda: False, child, part="It", timeout_s=0, remedy="")

    process.stop(child)


def test_a_child_gets_the_chance_to_end_itself(tmp_path: Path) -> None:
    code = "import signal,sys,time; signal.signal(15, lambda *_: sys.exit(7)); print('up', flush=True); time.sleep(600)"
    child = process.start("it", python(code), log=tmp_path / "it.log")
    assert eventually(lambda: process.tail_of(child.log) == "up")

    process.stop(child)

    assert child.popen.returncode == 7


def test_a_child_that_will_not_end_is_killed_with_its_own_children(tmp_path: Path) -> None:
    code = (
        "import signal,subprocess,sys,time; signal.signal(15, signal.SIG_IGN);"
        f"print(subprocess.Popen([sys.executable, '-c', {FOREVER!r}]).pid, flush=True);"
        "time.sleep(600)"
    )
    child = process.start("it", python(code), log=tmp_path / "it.log")
    assert eventually(lambda: process.tail_of(child.log).isdigit())
    grandchild = int(process.tail_of(child.log))

    process.stop(child, grace_s=0.1)

    assert child.popen.returncode == -signal.SIGKILL
    assert eventually(lambda: ended(grandchild))


# A parent's death is told to its children by Linux alone (prctl PR_SET_PDEATHSIG).
@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's alone")
def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    code = (
        "import sys,time; from pathlib import Path; from deploy.local import process;"
        f"child = process.start('it', [sys.executable, '-c', {FOREVER!r}], log=Path(sys.argv[1]));"
        "print(child.pid, flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "it.log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path.cwd()) as parent:
        assert parent.stdout
        child_pid = int(parent.stdout.readline())
        assert psutil.pid_exists(child_pid)

        parent.kill()

    assert eventually(lambda: ended(child_pid))


def test_a_command_that_is_not_there_is_named(tmp_path: Path) -> None:
    child = process.start("it", ["/no/such/program"], log=tmp_path / "it.log")

    child.popen.wait()

    assert process.tail_of(child.log) == "/no/such/program: No such file or directory"
