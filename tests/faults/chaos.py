"""Kills parts of a running stack with SIGKILL, in an order that the seed decides."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from deploy.local import health
from deploy.local.facts import StackFacts
from deploy.local.parts import SERVICES

KILLS_OF_EACH = 3
PAUSE_S = (1.0, 3.0)
FIRST_AFTER_S = 3.0
SOON_S = 1.2


@dataclass(frozen=True)
class Strike:
    """Kill ``name`` while all of ``while_ready`` are at work; ``then`` dies ``SOON_S`` later."""

    name: str
    while_ready: tuple[str, ...]
    then: str = ""


class Chaos:
    """Call ``step`` often; it strikes now and then until ``is_over``.

    A service is killed only when it is ready, so that each kill hits it at work. Kafka and MongoDB
    take a service with them a moment later, as a power cut does: what that service had only in
    memory, waiting for them, is gone.
    """

    def __init__(self, chance: random.Random, say: Callable[[str], None]) -> None:
        self._chance = chance
        self._say = say
        self._plan = _plan(chance)
        self._begun = time.monotonic()
        self._next_at = self._begun + FIRST_AFTER_S
        self.kills: Counter[str] = Counter()

    @property
    def is_over(self) -> bool:
        """Whether everything that was planned has happened."""
        return not self._plan

    def step(self, facts: StackFacts) -> None:
        """Strike with the first of the next few that can, if it is time."""
        now = time.monotonic()
        if now < self._next_at:
            return
        for strike in self._plan[:4]:
            if all(_is_at_work(facts, name) for name in strike.while_ready):
                self._strike(strike, facts, now)
                return
            if strike.then:
                return  # the others leave it time to become ready

    def _strike(self, strike: Strike, facts: StackFacts, now: float) -> None:
        self._kill(strike.name, facts)
        self._plan.remove(strike)
        self._next_at = now + self._chance.uniform(*PAUSE_S)
        if strike.then:
            self._plan.insert(0, Strike(strike.then, ()))
            self._next_at = now + SOON_S

    def _kill(self, name: str, facts: StackFacts) -> None:
        self._say(f"{time.monotonic() - self._begun:6.1f} s  kill {name}")
        self.kills[name] += 1
        with suppress(ProcessLookupError):
            os.kill(facts.pids[name], signal.SIGKILL)


def _plan(chance: random.Random) -> list[Strike]:
    """Each service in each round; Kafka and MongoDB in the first, when most of the mail comes."""
    rounds = []
    for number in range(KILLS_OF_EACH):
        names = chance.sample(SERVICES, len(SERVICES))
        strikes = [Strike(name, (name,)) for name in names]
        if number == 0:
            strikes = [s for s in strikes if s.name not in {"tickets", "ingest"}]
            kafka = Strike("kafka", ("ingest", "tickets", "notify"), then="tickets")
            mongo = Strike("mongo", ("ingest", "tickets"), then="ingest")
            first, second = chance.sample([kafka, mongo], 2)
            strikes = [first, strikes[0], second, *strikes[1:]]
        rounds += strikes
    return rounds


def _is_at_work(facts: StackFacts, name: str) -> bool:
    return health.is_ready(urlsplit(facts.metrics[name]).netloc)
