"""A whole desk for a test or a bench: the stack as ``postdesk up`` runs it, and a sink for its mail.

Processes are started and tended in the main thread; the actors live on a loop in another one.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import uvloop
from ruamel.yaml import YAML

from deploy.local import ports
from deploy.local.facts import StackFacts
from deploy.local.providers.choice import Backends
from deploy.local.stack import Options, Stack
from deploy.local.supervisor import LONGEST_PAUSE_S, Supervisor
from shared.config import Desk, load_desk
from tests.actors.sink import Sink

T = TypeVar("T")
PRESET = Path(__file__).parents[2] / "deploy" / "presets" / "demo.yaml"
TEND_S = 0.05


class Companion(Protocol):
    """Something on the actors' loop that has to be there before the stack."""

    async def start(self) -> None:
        """Begin."""

    async def stop(self) -> None:
        """End."""


@dataclass(frozen=True)
class Wiring:
    """A stack that is put together otherwise than ``postdesk up`` does it; see `Stack`."""

    companions: Sequence[Companion] = ()
    backends: Backends | None = None
    env: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    processes: Mapping[str, int] = field(default_factory=dict)
    late: Collection[str] = ()
    longest_pause_s: float = LONGEST_PAUSE_S


class RunningDesk:
    """Use it in a ``with`` in the main thread; ``settings`` replace sections of the demo's file."""

    def __init__(
        self,
        folder: Path,
        *,
        settings: dict[str, Any] | None = None,
        sink: Sink | None = None,
        wiring: Wiring | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        config = _configuration(folder, settings or {})
        self.desk: Desk = load_desk(config).desk
        self.sink = sink or Sink(port=ports.free_port())
        options = Options(folder / "state", config, smtp="127.0.0.1:0", relay=self.sink.address)
        wiring = wiring or Wiring()
        self._companions = wiring.companions
        self.stack = Stack(
            options,
            say=say,
            backends=wiring.backends,
            env=wiring.env,
            processes=wiring.processes,
            late=wiring.late,
            supervisor=Supervisor(say, longest_pause_s=wiring.longest_pause_s),
        )
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def facts(self) -> StackFacts:
        """Where everything is; process ids change when something is started again."""
        assert self.stack.facts
        return self.stack.facts

    def begin(self, actors: Coroutine[Any, Any, T]) -> Future[T]:
        """Let actors play on; `tend` meanwhile."""
        return asyncio.run_coroutine_threadsafe(actors, self._loop)

    def play(self, actors: Coroutine[Any, Any, T]) -> T:
        """Let actors play to their end while the stack is looked after."""
        playing = self.begin(actors)
        while not playing.done():
            self.tend()
        return playing.result()

    def tend(self, seconds: float = TEND_S) -> None:
        """Start again what has ended, for so long."""
        end = time.monotonic() + seconds
        while True:
            self.stack.look_after()
            time.sleep(TEND_S)
            if time.monotonic() >= end:
                return

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self.begin(self.sink.__aenter__()).result()
            for companion in self._companions:
                self.begin(companion.start()).result()
            self.stack.start()
        except BaseException:
            self._end_loop()
            raise
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        self.stack.stop()
        for companion in self._companions:
            self.begin(companion.stop()).result()
        self.begin(self.sink.__aexit__(None, None, None)).result()
        self._end_loop()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


def _configuration(folder: Path, settings: dict[str, Any]) -> Path:
    yaml = YAML()
    desk = yaml.load(PRESET.read_text(encoding="utf-8"))
    desk.update(settings)
    path = folder / "desk.yaml"
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(desk, file)
    return path
