"""A few parser processes that live on from mail to mail and are killed when a mail defeats them."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from services.ingest import measures
from services.ingest.frames import FrameError, pack, receive_frame
from services.ingest.reading import Reading
from shared.bus import TransientError

STREAM_BYTES = 1024 * 1024
MAILS_PER_CHILD = 5_000  # then a new one, so that no leak grows for ever

START_S = 60.0
OUT_OF_TIME = f"ended by signal {signal.SIGPROF:d}"
"""The failure of a mail that used up its CPU time; it would use it up again."""

_log = structlog.get_logger(__name__)


class NoParserError(TransientError):
    """A child does not even start: no mail is to blame, and the next try may go through."""


@dataclass(frozen=True)
class Allowance:
    """What one mail may cost, and a child beyond its start."""

    cpu_s: float = 10.0
    wall_s: float = 30.0
    memory_bytes: int = 512 * 1024 * 1024


@dataclass
class Answers:
    """Readings of the first mails; ``failure`` says why the next one has none, if one is left."""

    readings: list[Reading] = field(default_factory=list)
    failure: str = ""


class Children:
    """Up to ``count`` processes; they are started as they are needed, the first one at once."""

    def __init__(self, count: int, allowance: Allowance | None = None) -> None:
        self._allowance = allowance or Allowance()
        self._free = asyncio.Semaphore(count)
        self._idle: list[_Child] = []
        self._all: set[_Child] = set()

    async def start(self) -> None:
        """Start the first child; raises `NoParserError` where that fails."""
        self._idle.append(await self._new())

    async def stop(self) -> None:
        """Kill all; nothing that they hold is needed."""
        self._idle.clear()
        for child in list(self._all):
            await self._end(child, "stopped")

    async def read(
        self, mails: Sequence[bytes], *, trusted: Sequence[str] = (), reason: str = ""
    ) -> Answers:
        """Read mails in one child; with a ``reason`` only their headers.

        The child that fails is killed, and only the mail that it was at is to blame. Raises
        `NoParserError` where there is no child and none can be started.
        """
        return await self._ask({"trusted": list(trusted), "reason": reason}, mails)

    async def check(self, raw: bytes, question: dict[str, Any]) -> Answers:
        """Judge the sender of one mail (see `services.ingest.verify`), in the same way."""
        return await self._ask(question, [raw])

    async def _ask(self, question: dict[str, Any], mails: Sequence[bytes]) -> Answers:
        head = {**question, "cpu_s": self._allowance.cpu_s}
        async with self._free:
            child = self._idle.pop() if self._idle else await self._new()
            answers = Answers()
            try:
                await self._exchange(child, pack(head, mails), len(mails), answers)
            except BaseException:
                await self._end(child, "cancelled")
                raise
            if answers.failure or child.served > MAILS_PER_CHILD:
                await self._end(child, answers.failure or "worn out")
            else:
                self._idle.append(child)
        return answers

    async def _exchange(
        self, child: "_Child", request: list[bytes], count: int, answers: Answers
    ) -> None:
        sending = asyncio.create_task(child.send(request))
        try:
            for _ in range(count):
                async with asyncio.timeout(self._allowance.wall_s):
                    answers.readings.append(await child.receive())
                child.served += 1
        except TimeoutError:
            answers.failure = f"took more than {self._allowance.wall_s:g} s"
        except (asyncio.IncompleteReadError, ConnectionError):
            answers.failure = await child.cause_of_death()
        except (FrameError, KeyError, TypeError) as error:
            answers.failure = f"no reading: {type(error).__name__}"
        finally:
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await sending

    async def _new(self) -> "_Child":
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "services.ingest.child"),
            str(self._allowance.memory_bytes),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=STREAM_BYTES,
            start_new_session=True,  # Ctrl-C is for the parent to act on
            # Nothing of our environment: it may hold passwords.
            env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "LC_ALL": "C.UTF-8"},
        )
        child = _Child(process)
        self._all.add(child)
        try:
            async with asyncio.timeout(START_S):
                await child.ready()
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError, FrameError) as error:
            cause = await child.cause_of_death()
            await self._end(child, "did not start")
            raise NoParserError(f"parser did not start: {cause}") from error
        except BaseException:
            await self._end(child, "cancelled")
            raise
        return child

    async def _end(self, child: "_Child", cause: str) -> None:
        self._all.discard(child)
        if cause not in {"stopped", "cancelled", "worn out"}:
            _log.warning("parser ended", cause=cause)
            cause = "failed"
        measures.CHILDREN_ENDED.labels(cause).inc()
        await child.kill()


class _Child:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.served = 0

    async def send(self, parts: Sequence[bytes]) -> None:
        stdin: Any = self._process.stdin
        for part in parts:
            stdin.write(part)
        await stdin.drain()

    async def ready(self) -> None:
        stdout: Any = self._process.stdout
        await receive_frame(stdout)

    async def receive(self) -> Reading:
        stdout: Any = self._process.stdout
        head, contents = await receive_frame(stdout)
        blobs = [str(name) for name in head["blobs"]]
        if len(blobs) != len(contents):
            raise FrameError("blobs without a name")
        return Reading(dict(head["fields"]), blobs, contents, bool(head["wants_raw"]))

    async def cause_of_death(self) -> str:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2.0):
                code = await self._process.wait()
                return f"ended by signal {-code}" if code < 0 else f"ended with {code}"
        return "closed its pipe"

    async def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
