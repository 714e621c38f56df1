"""Starts again, after a growing pause, whatever part of a stack ends by itself."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 10.0
STEADY_S = 60.0  # what ran for this long starts again with the first pause


class Part(Protocol):
    """A part of the stack that can be started again."""

    name: str

    def launch(self) -> None:
        """Begin to start it; what is left of an earlier run is ended first."""

    def is_alive(self) -> bool:
        """Say whether it has not ended."""


@dataclass
class _Watched:
    part: Part
    started_at: float
    pause_s: float
    restart_at: float | None = None


@dataclass
class Supervisor:
    """Watches parts that were launched; call everything from the main thread.

    What is in ``held`` stays down once it has ended, until it is taken out again.
    """

    say: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    longest_pause_s: float = LONGEST_PAUSE_S
    held: set[str] = field(default_factory=set)
    ends: Counter[str] = field(default_factory=Counter)
    """How often each part was found ended."""
    _watched: list[_Watched] = field(default_factory=list)

    def watch(self, part: Part) -> None:
        """Look after a part from now on."""
        self._watched.append(_Watched(part, self.clock(), FIRST_PAUSE_S))

    def look_after(self) -> bool:
        """Launch what is due, after a pause of 1 s that doubles up to the longest; true if any."""
        launched = [self._look_at(one) for one in self._watched if not one.part.is_alive()]
        return any(launched)

    def _look_at(self, one: _Watched) -> bool:
        now = self.clock()
        if one.restart_at is None:
            if now - one.started_at >= STEADY_S:
                one.pause_s = FIRST_PAUSE_S
            one.restart_at = now + one.pause_s
            self.say(f"{one.part.name} ended by itself; started again in {one.pause_s:.0f} s")
            one.pause_s = min(one.pause_s * 2, self.longest_pause_s)
            self.ends[one.part.name] += 1
            return False
        if now < one.restart_at or one.part.name in self.held:
            return False
        one.part.launch()
        one.started_at, one.restart_at = now, None
        return True
