"""Time as a value: what asks for the time takes a clock, so that tests can hand in theirs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Says what time it is."""

    def now(self) -> datetime:
        """Aware, in UTC, cut to milliseconds."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Cut to milliseconds, because MongoDB keeps no more and both must compare equal."""
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)


class FrozenClock:
    """Stands still until it is told to move; for tests."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """The time it was last set to."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move by that much, backwards too."""
        self._now += by

    def set(self, now: datetime) -> None:
        """Jump to that time."""
        self._now = now


class FileOffsetClock:
    """The inner clock plus the seconds that stand in a file; no file, or no number: plus none.

    So time can be an input of running services, all of them from one file.
    """

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


def moved(clock: Clock, path: Path | None) -> Clock:
    """The clock, moved by the file if one is given."""
    return clock if path is None else FileOffsetClock(clock, path)
