"""Waits for Kafka and MongoDB for as long as they are away."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from shared.bus import classify

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class Waiting:
    """Repeats steps of the part ``name``; ``trouble`` says what it waits for, or nothing."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.trouble = ""

    async def until_done(self, step: Callable[[], Awaitable[T]]) -> T:
        """Repeat a step for as long as Kafka or MongoDB are away."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                result = await step()
            except Exception as error:
                if classify(error) != "transient":
                    raise
                self.trouble = f"{type(error).__name__}: {error}"[:500]
                _log.warning("waiting", part=self._name, error=self.trouble)
            else:
                self.trouble = ""
                return result
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
