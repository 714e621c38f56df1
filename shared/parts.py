"""What a service is made of: its parts, and what they are built from."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from shared import logs, mongo
from shared.blobs import Blobs
from shared.bus import Bus
from shared.clock import Clock
from shared.config.loading import LoadedDesk
from shared.health import Health

RETRY_S = 1.0
LONGEST_PAUSE_S = 30.0

_log = structlog.get_logger(__name__)


class Part(Protocol):
    """Something that runs as long as the process: a relay, a door, a ticker.

    Where it also has ``name``, ``trouble``, ``done`` and ``waiting()`` (see `Watched`) it appears
    in the health report and is watched.
    """

    async def start(self) -> None:
        """Begin; what it needs has been started before."""
        ...

    async def stop(self) -> None:
        """Finish within seconds what is in hand."""
        ...


@dataclass(frozen=True)
class Context:
    """What a service is built from."""

    name: str
    owner: str
    settings: Any
    clock: Clock
    client: mongo.Client
    database: mongo.Database
    bus: Bus
    blobs: Blobs
    desk: LoadedDesk
    health: Health


Build = Callable[[Context], Awaitable[Sequence[Part]]]


class Background:
    """A part that runs a coroutine function over and over; its faults are logged and survived.

    ``work`` may also never return. ``pause_s`` lies between two runs, more after a fault.
    """

    def __init__(
        self, name: str, work: Callable[[], Awaitable[None]], *, pause_s: float = 1.0
    ) -> None:
        self.name = name
        self.trouble = ""
        self._work = work
        self._pause_s = pause_s
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin at once."""
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        """Cancel what runs."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        pause_s = self._pause_s
        while True:
            try:
                await self._work()
                self.trouble, pause_s = "", self._pause_s
            except Exception as error:  # noqa: BLE001 - said in health, and tried again
                self.trouble = logs.describe(error)
                _log.exception("background work failed", work=self.name)
                pause_s = min(max(pause_s, RETRY_S) * 2, LONGEST_PAUSE_S)
            await asyncio.sleep(pause_s)
