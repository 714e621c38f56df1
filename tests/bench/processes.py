"""CPU time and memory of the processes of a stack, their children included."""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress

import psutil

MIB = 1024 * 1024


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds used so far, user and system, by name."""
    used: dict[str, float] = defaultdict(float)
    for name, process in _families(pids):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            used[name] += times.user + times.system
    return dict(used)


def resident_mib(pids: Mapping[str, int]) -> dict[str, float]:
    """Memory by name; pages shared with a parent are counted for each (an upper bound)."""
    resident: dict[str, float] = defaultdict(float)
    for name, process in _families(pids):
        with suppress(psutil.NoSuchProcess):
            resident[name] += process.memory_info().rss / MIB
    return dict(resident)


def _families(pids: Mapping[str, int]) -> list[tuple[str, psutil.Process]]:
    """Each process with all that it started, found in one look at what runs."""
    names = {pid: name for name, pid in pids.items()}
    running, parents = {}, {}
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess):
            running[process.pid], parents[process.pid] = process, process.ppid()
    families = []
    for pid, process in running.items():
        of = pid
        while of in parents and of not in names:
            of = parents[of]
        if of in names:
            families.append((names[of], process))
    return families
