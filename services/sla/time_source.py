"""A clock that can be moved from outside, so that time is an input of the whole service."""

from datetime import datetime, timedelta
from pathlib import Path

from shared.clock import Clock


class FileOffsetClock:
    """The inner clock plus the seconds that stand in a file; no file, or no number: plus none."""

    def __init__(self, inner: Clock, path: Path) -> None:
        self._inner = inner
        self._path = path

    def now(self) -> datetime:
        """Aware, in UTC; it jumps when the file changes, backwards too."""
        return self._inner.now() + timedelta(seconds=self._offset_s())

    def _offset_s(self) -> float:
        try:
            return float(self._path.read_text(encoding="ascii").strip() or 0)
        except (OSError, ValueError):
            return 0.0


def time_source(system: Clock, path: Path | None) -> Clock:
    """The system's clock, moved by the file if one is set."""
    return system if path is None else FileOffsetClock(system, path)
