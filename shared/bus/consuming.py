"""One topic's handler, run over batches until each record is handled or a dead letter."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from shared import metrics
from shared.bus.errors import BusError, UndecodableError, classify
from shared.bus.records import RawRecord, Received, decode
from shared.contracts.topics import Topic
from shared.logs import describe

Handler = Callable[[list[Received[Any]]], Awaitable[None]]
Item = tuple[RawRecord, Received[Any]]

_log = structlog.get_logger(__name__)


class StoppedError(BusError):
    """The process is going down while a batch is not done; nothing of it may be committed."""


class HandlerTimeLimitError(BusError):
    """A handler took longer than its limit although everything that it needs answers."""


@dataclass(frozen=True)
class Patience:
    """How long what is tried; seconds unless named otherwise.

    The limits of consecutive dead letters keep bad code from burying a whole topic: past them
    reading stops until somebody has looked.
    """

    first_pause: float = 0.2
    longest_pause: float = 5.0
    handler: float = 20.0
    tries_of_a_bug: int = 3
    handler_dead_letters: int = 20
    undecodable_dead_letters: int = 500


@dataclass(frozen=True)
class DeadLetter:
    """A record that is given up and why."""

    raw: RawRecord
    error: BaseException
    tries: int


class Surroundings:
    """What a topic's reader needs of the bus; all readers of a process share one."""

    def __init__(
        self,
        *,
        bury: Callable[[DeadLetter], Awaitable[None]],
        are_dependencies_up: Callable[[], Awaitable[bool]],
        keep_membership: Callable[[], Awaitable[None]],
    ) -> None:
        self.bury = bury
        self.are_dependencies_up = are_dependencies_up
        self.stopping = asyncio.Event()
        self.trouble = ""
        self.halted = False
        self._keep_membership = keep_membership

    async def pause(self, seconds: float) -> None:
        """Wait that long while staying in the consumer group; raises `StoppedError` at the end."""
        await self._keep_membership()
        try:
            async with asyncio.timeout(seconds):
                await self.stopping.wait()
        except TimeoutError:
            return
        raise StoppedError


class TopicReader:
    """Gives batches to a handler that stores all of a batch or nothing, and is idempotent."""

    def __init__(
        self,
        topic: Topic,
        handler: Handler,
        surroundings: Surroundings,
        patience: Patience | None = None,
    ) -> None:
        self.topic = topic
        self._handler = handler
        self._around = surroundings
        self._patience = patience or Patience()
        self._buried_in_a_row = {"undecodable": 0, "handler": 0}

    async def read(self, raws: Sequence[RawRecord]) -> None:
        """Return when each record is handled or a dead letter, in the order given.

        Raises `StoppedError` when the process goes down first: then nothing may be committed.
        """
        started = time.perf_counter()
        items: list[Item] = []
        for raw in raws:
            try:
                items.append((raw, decode(self.topic, raw)))
            except UndecodableError as error:
                await self._bury(DeadLetter(raw, error, 1), "undecodable")
        if items:
            self._buried_in_a_row["undecodable"] = 0
            await self._handle(items)
        self._around.trouble = ""
        seconds = time.perf_counter() - started
        metrics.batch_done(self.topic.name, len(raws), seconds)
        _log.info("batch", topic=self.topic.name, records=len(raws), ms=round(seconds * 1000, 1))

    async def _handle(self, items: list[Item]) -> None:
        error = await self._attempt(items)
        if error is None:
            self._buried_in_a_row["handler"] = 0
        elif len(items) > 1:
            middle = len(items) // 2
            await self._handle(items[:middle])
            await self._handle(items[middle:])
        else:
            await self._insist(items, error)

    async def _insist(self, items: list[Item], error: BaseException) -> None:
        """Try a single record a few times more, unless trying cannot help; then give it up."""
        tries = 1
        while classify(error) == "bug" and tries < self._patience.tries_of_a_bug:
            await self._around.pause(self._patience.first_pause * tries)
            tries += 1
            again = await self._attempt(items)
            if again is None:
                self._buried_in_a_row["handler"] = 0
                return
            error = again
        await self._bury(DeadLetter(items[0][0], error, tries), "handler")

    async def _attempt(self, items: list[Item]) -> BaseException | None:
        """Give None when handled, or the error; one that is a dependency's is waited out."""
        pause = self._patience.first_pause
        records = [received for _, received in items]
        while True:
            try:
                await self._call(records)
            except Exception as error:  # noqa: BLE001 - this is the border where all must end
                kind = classify(error)
                metrics.batch_failed(self.topic.name, kind)
                if kind == "permanent":
                    return error
                if kind == "bug" and await self._around.are_dependencies_up():
                    self._around.trouble = f"{self.topic.name}: tracing {describe(error)}"
                    _log.exception("handler failed", topic=self.topic.name, records=len(items))
                    return error
                await self._wait(error, pause)
                pause = min(pause * 2, self._patience.longest_pause)
            else:
                return None

    async def _call(self, records: list[Received[Any]]) -> None:
        limit = asyncio.timeout(self._patience.handler)
        try:
            async with limit:
                await self._handler(records)
        except TimeoutError as error:
            if limit.expired():
                raise HandlerTimeLimitError(f"more than {self._patience.handler} s") from error
            raise

    async def _wait(self, error: BaseException, seconds: float) -> None:
        self._around.trouble = f"{self.topic.name}: waiting, {describe(error)}"
        _log.warning("waiting to retry", topic=self.topic.name, error=describe(error))
        await self._around.pause(seconds)

    async def _bury(self, letter: DeadLetter, cause: str) -> None:
        limits = {
            "undecodable": self._patience.undecodable_dead_letters,
            "handler": self._patience.handler_dead_letters,
        }
        if self._buried_in_a_row[cause] >= limits[cause]:
            await self._halt(letter.error)
        pause = self._patience.first_pause
        while True:
            try:
                await self._around.bury(letter)
            except Exception as error:  # noqa: BLE001 - nothing may be committed past this record
                await self._wait(error, pause)
                pause = min(pause * 2, self._patience.longest_pause)
            else:
                break
        self._buried_in_a_row[cause] += 1
        metrics.dead_letter(self.topic.name, cause)

    async def _halt(self, error: BaseException) -> None:
        """Read no more until the process is started again: this looks like bad code."""
        self._around.halted = True
        self._around.trouble = (
            f"{self.topic.name}: stopped after too many dead letters in a row, the last for "
            f"{describe(error)}"
        )
        _log.error("reading stopped", reason=self._around.trouble)
        while True:
            await self._around.pause(self._patience.longest_pause)
