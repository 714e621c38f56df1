"""A whole desk for a test or a bench: the stack as ``postdesk up`` runs it, and a sink for its mail.

Processes are started and tended in the main thread; the actors live on a loop in another one.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import uvloop
from ruamel.yaml import YAML

from deploy.local import ports
from deploy.local.facts import StackFacts
from deploy.local.stack import Options, Stack
from shared.config import Desk, load_desk
from tests.actors.ledger import Ledger
from tests.actors.sink import Sink

T = TypeVar("T")
PRESET = Path(__file__).parents[2] / "deploy" / "presets" / "demo.yaml"
TEND_S = 0.05


class RunningDesk:
    """Use it in a ``with`` in the main thread; ``settings`` replace sections of the demo's file."""

    def __init__(
        self,
        folder: Path,
        *,
        settings: dict[str, Any] | None = None,
        sink_ledger: Ledger | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        config = _configuration(folder, settings or {})
        self.desk: Desk = load_desk(config).desk
        self.sink = Sink(ledger=sink_ledger, port=ports.free_port())
        options = Options(folder / "state", config, smtp="127.0.0.1:0", relay=self.sink.address)
        self.stack = Stack(options, say=say)
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
            self.stack.start()
        except BaseException:
            self._end_loop()
            raise
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        self.stack.stop()
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
