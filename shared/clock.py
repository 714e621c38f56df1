"""Time as a value: what asks for the time takes a clock, so that tests can hand in theirs."""

from datetime import UTC, datetime, timedelta
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
