"""The one clock that due times are compared with: MongoDB's, whatever this machine's clock does."""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

AskTime = Callable[[], Awaitable[datetime]]


class DatabaseClock:
    """MongoDB's time when it last answered, and what has passed since by the monotonic clock.

    So a wall clock that jumps, or that several processes disagree about, neither fires a clock too
    soon nor holds one back.
    """

    def __init__(self, ask: AskTime, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        """``ask`` gives the database's time, aware."""
        self._ask = ask
        self._monotonic_s = monotonic_s
        self._asked_at_s = 0.0
        self._told: datetime | None = None

    async def sync(self) -> None:
        """Ask again; the answer counts from its arrival.

        On a slow way it lags behind the database by what its way took, and never runs ahead of it.
        """
        self._told = await self._ask()
        self._asked_at_s = self._monotonic_s()

    def now(self) -> datetime:
        """Aware, in UTC, cut to milliseconds; it must have been asked once."""
        if self._told is None:
            raise RuntimeError("the database was not asked for the time yet")
        passed = timedelta(seconds=self._monotonic_s() - self._asked_at_s)
        now = (self._told + passed).astimezone(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)
