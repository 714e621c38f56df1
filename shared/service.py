"""Runs one service as a process: start-up, health, stopping, and its watchdog."""

import asyncio
import gc
import os
import signal
import sys
import zoneinfo
from collections.abc import Sequence
from typing import NoReturn

import structlog

from shared import logs, mongo
from shared.blobs import Blobs
from shared.bus import PROMPT, Bus, Pace, classify
from shared.clock import SystemClock, moved
from shared.config.loading import ConfigurationError, LoadedDesk
from shared.health import Check, Health, HealthServer
from shared.interpreter import take_turns, tune
from shared.parts import Build, Context, Part
from shared.reloading import DeskFile, refuse
from shared.settings import ServiceSettings
from shared.watchdog import Watchdog

STOP_S = 25.0
RETRY_S = 1.0
EXIT_BROKEN = 1
EXIT_CONFIGURATION = 2

_log = structlog.get_logger(__name__)


def main(
    name: str,
    settings: ServiceSettings,
    build: Build,
    *,
    needs: Sequence[str] = ("mongo", "kafka"),
    pace: Pace = PROMPT,
) -> NoReturn:
    """Run until SIGTERM or SIGINT; exit with 0, or 1 stuck or broken, or 2 wrong configuration."""
    take_turns()
    # One table of time zones everywhere: the pinned one, whatever the machine has.
    zoneinfo.reset_tzpath(to=())
    if sys.platform == "win32":
        sys.exit(asyncio.run(run(name, settings, build, needs=needs, pace=pace)))
    import uvloop

    sys.exit(uvloop.run(run(name, settings, build, needs=needs, pace=pace)))


async def run(
    name: str,
    settings: ServiceSettings,
    build: Build,
    *,
    needs: Sequence[str] = ("mongo", "kafka"),
    pace: Pace = PROMPT,
) -> int:
    """Build the service, start its parts in their order, and stop them in the reverse one.

    When the desk's file holds another valid configuration, all parts are stopped, built anew and
    started; a wrong one is refused, and the parts go on with the one they have.

    ``build`` registers handlers on the bus and makes indexes; it is called again, with a new
    context, when a dependency goes away meanwhile. Start-up waits for ``needs`` and says so in
    ``/readyz``; reading begins when all parts have started. ``pace`` is the bus's. Gives
    the exit code.
    """
    logs.configure(name, level=settings.log_level)
    file = DeskFile(settings.config)
    try:
        desk = file.load()
    except ConfigurationError as error:
        _log.error("configuration refused", problems=[str(p) for p in error.problems])
        return EXIT_CONFIGURATION
    process = _Process(name, settings, file, desk, needs, pace=pace)
    return await process.run(build)


class _Process:
    def __init__(
        self,
        name: str,
        settings: ServiceSettings,
        file: DeskFile,
        desk: LoadedDesk,
        needs: Sequence[str],
        *,
        pace: Pace,
    ) -> None:
        self._name = name
        self._owner = f"{name}-{settings.instance or os.getpid()}"
        self._settings = settings
        self._file = file
        self._desk = desk
        self._needs = needs
        self._pace = pace
        self._client = mongo.connect(settings.mongo, service=self._owner)
        self._health = Health()
        self._server = HealthServer(self._health, settings.health)
        self._stopping = asyncio.Event()
        self._running: list[Part] = []

    async def run(self, build: Build) -> int:
        """Give the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stopping.set)
        self._health.set("start", Check(is_ok=False, detail="starting"))
        await self._server.start()
        _log.info("listening", health=self._server.address)
        living = asyncio.create_task(self._live(build))
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({living, stopping}, return_when=asyncio.FIRST_COMPLETED)
        broken = living.done()
        if broken:
            _log.critical("cannot go on", exc_info=living.exception())
        stopping.cancel()
        living.cancel()
        await asyncio.wait({living})
        await self._shut_down()
        return EXIT_BROKEN if broken else 0

    async def _live(self, build: Build) -> NoReturn:
        watchdog = await self._keep_starting(build)
        while True:
            tune()
            self._health.set("start", Check(is_ok=True))
            _log.info("started", health=self._server.address, desk=self._desk.digest)
            watchdog = await self._start_again(build, await self._another_desk(watchdog))

    async def _another_desk(self, watchdog: Watchdog) -> LoadedDesk:
        """Watch the parts until the file holds another valid configuration."""
        watching = asyncio.create_task(watchdog.run())
        looking = asyncio.create_task(self._file.another(self._desk, self._health))
        try:
            await asyncio.wait({watching, looking}, return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                watching.result()
            return looking.result()
        finally:
            watching.cancel()
            looking.cancel()
            await asyncio.wait({watching, looking})

    async def _start_again(self, build: Build, desk: LoadedDesk) -> Watchdog:
        """Stop all parts and start them with another configuration, or again with the last one."""
        _log.info("configuration changed", before=self._desk.digest, desk=desk.digest)
        before, self._desk = self._desk, desk
        self._health.set("start", Check(is_ok=False, detail="starting with another configuration"))
        gc.unfreeze()
        try:
            await self._stop_in_time()
            return await self._keep_starting(build)
        except ValueError as error:
            # What only a service can know is wrong with it, such as a calendar that never opens.
            refuse(logs.describe(error), self._health)
            self._desk = before
            await self._stop_in_time()
            return await self._keep_starting(build)

    async def _keep_starting(self, build: Build) -> Watchdog:
        while True:
            try:
                return await self._start(build)
            except Exception as error:
                if classify(error) != "transient":
                    raise
                _log.warning("start-up waits", error=logs.describe(error))
                self._health.set("start", Check(is_ok=False, detail=logs.describe(error)))
            await self._stop_parts()
            await asyncio.sleep(RETRY_S)

    def _make_bus(self) -> Bus:
        return Bus(
            kafka=self._settings.kafka,
            service=self._name,
            instance=self._settings.instance,
            are_dependencies_up=lambda: mongo.is_answering(self._client),
            pace=self._pace,
        )

    async def _start(self, build: Build) -> Watchdog:
        bus = self._make_bus()
        self._running.append(_Producing(bus))
        watchdog = Watchdog(
            self._client, bus, self._health, needs=self._needs, stuck_s=self._settings.stuck_s
        )
        await watchdog.wait_for_needs()
        for part in [*await build(self._context(bus)), _Reading(bus)]:
            self._running.append(part)
            await part.start()
            watchdog.watch(part)
        watchdog.watch(bus)
        return watchdog

    def _context(self, bus: Bus) -> Context:
        return Context(
            name=self._name,
            owner=self._owner,
            settings=self._settings,
            clock=moved(SystemClock(), self._settings.clock_file),
            client=self._client,
            database=mongo.database(self._client, self._name),
            bus=bus,
            blobs=Blobs(self._client),
            desk=self._desk,
            health=self._health,
        )

    async def _shut_down(self) -> None:
        _log.info("stopping")
        self._health.set("start", Check(is_ok=False, detail="stopping"))
        try:
            await self._stop_in_time()
        except TimeoutError:
            _log.error("parts did not stop in time")
        self._client.close()
        await self._server.stop()
        _log.info("stopped")

    async def _stop_in_time(self) -> None:
        async with asyncio.timeout(STOP_S):
            await self._stop_parts()

    async def _stop_parts(self) -> None:
        while self._running:
            part = self._running.pop()
            try:
                await part.stop()
            except Exception:  # noqa: BLE001 - the other parts must stop all the same
                _log.exception("part did not stop cleanly", part=type(part).__name__)


class _Producing:
    """The bus as the first part: its producer is closed when nobody publishes any more."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def start(self) -> None:
        """Nothing to do: the producer starts with the first record."""

    async def stop(self) -> None:
        await self._bus.stop()


class _Reading:
    """The bus as the last part: it reads when all else runs, and stops reading first."""

    def __init__(self, bus: Bus) -> None:
        self.start = bus.start
        self.stop = bus.stop_reading
