import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.faketime import FakeTime


# Without the library the ledger run goes without jumping clocks too.
@pytest.mark.skipif(FakeTime.library() is None, reason="libfaketime is not made for this machine")
def test_a_process_follows_its_clock_and_its_monotonic_time_does_not_jump(tmp_path: Path) -> None:
    clocks = FakeTime(tmp_path)
    clocks.set("sla", 7200)
    asked = "import time; print(time.time(), time.monotonic())"

    def times(more: dict[str, str]) -> list[float]:
        command = [sys.executable, "-c", asked]
        done = subprocess.run(command, env=os.environ | more, capture_output=True, check=True)
        return [float(word) for word in done.stdout.split()]

    (before, since), (ahead, still) = times({}), times(clocks.env("sla"))

    assert 7190 < ahead - before < 7290
    assert 0 <= still - since < 90


def test_only_sla_and_notify_have_clocks_of_their_own(tmp_path: Path) -> None:
    assert FakeTime(tmp_path).env("tickets") == {}
