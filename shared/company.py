"""Waiting for others while many come: a group costs much the same whatever its size."""

import asyncio
import time
from collections.abc import Awaitable, Callable

STEP_S = 0.05


class Company:
    """Whether more are on their way, and how long the first ones wait for them.

    After ``many`` at once more are expected for ``lasts_s`` seconds; without such groups nobody
    waits.
    """

    def __init__(
        self,
        many: int,
        *,
        enough: int,
        longest_s: float = 0.3,
        lasts_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._many = many
        self._enough = enough
        self._longest_s = longest_s
        self._lasts_s = lasts_s
        self._clock = clock
        self._until = float("-inf")

    def came(self, count: int) -> None:
        """So many came at once."""
        if count >= self._many:
            self._until = self._clock() + self._lasts_s

    @property
    def is_expected(self) -> bool:
        """Whether more are on their way."""
        return self._clock() < self._until

    async def gather(
        self,
        count: Callable[[], Awaitable[int]],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Return when there are ``enough``, none came for 50 ms, or after ``longest_s``.

        ``count`` says how many there are now.
        """
        until, before = self._clock() + self._longest_s, await count()
        while self.is_expected and before < self._enough and self._clock() < until:
            await sleep(STEP_S)
            now = await count()
            if now == before:
                return
            before = now
