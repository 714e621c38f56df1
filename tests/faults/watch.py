"""Looks at the memory of a stack's processes now and then."""

import time
from collections.abc import Mapping
from contextlib import suppress

import psutil

EVERY_S = 1.0
MIB = 1024 * 1024


class Watch:
    """``peak_mib``: the most that one process of each part, or a child of it, ever held."""

    def __init__(self) -> None:
        self.peak_mib: dict[str, float] = {}
        self._looked_at = 0.0

    def look(self, pids: Mapping[str, int]) -> None:
        """Call it often; it looks once a second."""
        if time.monotonic() < self._looked_at + EVERY_S:
            return
        self._looked_at = time.monotonic()
        for name, pid in pids.items():
            with suppress(psutil.Error):
                parent = psutil.Process(pid)
                for one in (parent, *parent.children(recursive=True)):
                    held = one.memory_info().rss / MIB
                    self.peak_mib[name] = max(self.peak_mib.get(name, 0.0), held)
