"""Kills parts of a running stack with SIGKILL, in an order that the seed decides."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from urllib.parse import urlsplit

from deploy.local import health
from deploy.local.facts import StackFacts
from deploy.local.parts import SERVICES

KILLS_OF_EACH = 3
PAUSE_S = (1.0, 3.0)


class Chaos:
    """Call ``step`` often; it strikes now and then until ``is_over``.

    A service is killed only when it is ready, so that each kill hits it at work.
    """

    def __init__(self, chance: random.Random, say: Callable[[str], None]) -> None:
        self._chance = chance
        self._say = say
        self._plan = list(SERVICES) * KILLS_OF_EACH
        chance.shuffle(self._plan)
        for place, name in ((4, "kafka"), (10, "mongo")):
            self._plan.insert(place, name)
        self._next_at = 0.0
        self._begun = time.monotonic()
        self.kills: Counter[str] = Counter()

    @property
    def is_over(self) -> bool:
        """Whether everything that was planned has happened."""
        return not self._plan

    def step(self, facts: StackFacts) -> None:
        """Kill the first of the plan that is at work, if it is time."""
        now = time.monotonic()
        if now < self._next_at:
            return
        for name in self._plan[:6]:
            if _is_at_work(facts, name):
                self._plan.remove(name)
                self._kill(name, facts.pids[name])
                self._next_at = now + self._chance.uniform(*PAUSE_S)
                return

    def _kill(self, name: str, pid: int) -> None:
        self._say(f"{time.monotonic() - self._begun:6.1f} s  kill {name} ({pid})")
        self.kills[name] += 1
        os.kill(pid, signal.SIGKILL)


def _is_at_work(facts: StackFacts, name: str) -> bool:
    url = facts.metrics.get(name)
    return health.is_ready(urlsplit(url).netloc) if url else True
