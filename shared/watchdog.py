"""Looks every few seconds at dependencies and progress, and ends a process that is stuck."""

import asyncio
import faulthandler
import os
import sys
import time
from collections.abc import Sequence
from typing import Any, NoReturn, Protocol, runtime_checkable

import structlog

from shared import mongo
from shared.bus import Bus
from shared.health import Check, Health
from shared.logs import describe

INTERVAL_S = 5.0
EXIT_STUCK = 1

_log = structlog.get_logger(__name__)


@runtime_checkable
class Watched(Protocol):
    """Work that comes and goes: ``done`` only grows, ``trouble`` says why it stands, if known."""

    name: str
    done: int

    @property
    def trouble(self) -> str:
        """Why nothing moves, or empty."""
        ...

    async def waiting(self) -> int:
        """How much there is to do."""
        ...


class Watchdog:
    """Ends the process when its dependencies answer, work waits, and nothing moves for too long.

    Never while a dependency is away or the work itself says what it is waiting for: then health
    says so. An event loop that is blocked for as long ends the process too.
    """

    def __init__(
        self,
        client: mongo.Client,
        bus: Bus,
        health: Health,
        *,
        needs: Sequence[str],
        stuck_s: float,
        interval_s: float = INTERVAL_S,
    ) -> None:
        self._client = client
        self._bus = bus
        self._health = health
        self._needs = needs
        self._stuck_s = stuck_s
        self._interval_s = min(interval_s, stuck_s / 4)
        self._watched: list[Watched] = []
        self._with_trouble: list[Any] = []
        self._moved: dict[str, tuple[int, float]] = {}

    def watch(self, part: object) -> None:
        """Look at this part from now on, as far as it lets itself be looked at."""
        if isinstance(part, Watched):
            self._watched.append(part)
        if hasattr(part, "trouble") and hasattr(part, "name"):
            self._with_trouble.append(part)

    async def wait_for_needs(self) -> None:
        """Return when every dependency that is needed answers."""
        while not await self._look_at_dependencies(self._needs):
            missing = [name for name in self._needs if not self._health.checks[name].is_ok]
            _log.warning("waiting for dependencies", missing=missing)
            await asyncio.sleep(1.0)

    async def run(self) -> NoReturn:
        """Look again and again."""
        try:
            while True:
                faulthandler.dump_traceback_later(self._stuck_s, exit=True)
                await self._look()
                await asyncio.sleep(self._interval_s)
        finally:
            faulthandler.cancel_dump_traceback_later()

    async def _look(self) -> None:
        all_up = await self._look_at_dependencies(("mongo", "kafka"))
        for part in self._with_trouble:
            halted = getattr(part, "halted", False)
            self._health.set(part.name, Check(not part.trouble, part.trouble, needed=halted))
        for part in self._watched:
            if not all_up or part.trouble or await self._has_moved(part):
                self._moved[part.name] = (part.done, time.monotonic())
            elif time.monotonic() - self._moved[part.name][1] > self._stuck_s:
                _end(part)

    async def _has_moved(self, part: Watched) -> bool:
        try:
            nothing_to_do = not await part.waiting()
        except Exception as error:  # noqa: BLE001 - a dependency went away between two looks
            _log.warning("cannot tell what waits", part=part.name, error=describe(error))
            return part.name not in self._moved
        return nothing_to_do or self._moved.get(part.name, (-1, 0.0))[0] != part.done

    async def _look_at_dependencies(self, names: Sequence[str]) -> bool:
        probes = {
            "mongo": lambda: mongo.is_answering(self._client),
            "kafka": self._bus.is_answering,
        }
        answers = await asyncio.gather(*(probes[name]() for name in names))
        for name, answers_now in zip(names, answers, strict=True):
            detail = "" if answers_now else "does not answer"
            self._health.set(name, Check(answers_now, detail, needed=name in self._needs))
        return all(answers)


def _end(part: Watched) -> NoReturn:
    _log.critical("stuck: work waits, dependencies answer, nothing moves", part=part.name)
    for task in asyncio.all_tasks():
        _log.critical("task", name=task.get_name(), waits_in=_where(task.get_coro()))
    sys.stderr.flush()
    os._exit(EXIT_STUCK)


def _where(coroutine: Any) -> list[str]:
    """Follow what a coroutine awaits to the end; a task's own stack shows the top alone."""
    places = []
    while (frame := getattr(coroutine, "cr_frame", None)) is not None:
        places.append(f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_name}")
        coroutine = coroutine.cr_await
    return places
