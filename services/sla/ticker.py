"""Tells of clocks that warn or run out. The store is the truth; this only says when to look."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

import structlog

from shared.clock import Clock

BATCH = 200

_log = structlog.get_logger(__name__)


class DueClocks(Protocol):
    """The part of the store that the ticker needs."""

    async def fire(self, now: datetime, limit: int) -> int:
        """Claim and tell what is due; give how many clocks."""
        ...

    async def next_at(self) -> datetime | None:
        """When there is something to tell next."""
        ...


class Ticker:
    """Looks when the next clock is due, and in any case every ``longest_look_s`` seconds.

    So a clock that was stored meanwhile, by this process or another, is at most that late, and a
    jump of the time is noticed as soon.
    """

    def __init__(
        self,
        *,
        store: DueClocks,
        clock: Clock,
        wake: Callable[[], None],
        sync: Callable[[], Awaitable[None]] | None = None,
        longest_look_s: float = 1.0,
        batch: int = BATCH,
    ) -> None:
        self._store = store
        self._clock = clock
        self._sync = sync
        self._wake = wake
        self._longest_look_s = longest_look_s
        self._batch = batch

    async def run(self) -> None:
        """Tell all that is due, then wait until it is time to look again."""
        await self.tick()
        await asyncio.sleep(await self._pause_s())

    async def tick(self) -> int:
        """Tell all that is due now, the earliest first; give how many clocks had news."""
        total = 0
        if self._sync:
            await self._sync()
        next_at = await self._store.next_at()
        while next_at is not None and next_at <= (now := self._clock.now()):
            told = await self._store.fire(now, self._batch)
            total += told
            if told < self._batch:
                break
        if total:
            self._wake()
            _log.info("clocks told", clocks=total, earliest=next_at)
        return total

    async def _pause_s(self) -> float:
        next_at = await self._store.next_at()
        if next_at is None:
            return self._longest_look_s
        until_due = (next_at - self._clock.now()).total_seconds()
        return min(max(until_due, 0.0), self._longest_look_s)
