"""Lets one fault after the other happen to a running stack, and writes down when."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from deploy.local.parts import SERVICES
from tests.actors.books import Disturbance
from tests.faults.field import Field
from tests.faults.plan import Fault
from tests.faults.strikes import Strike, strike

PATIENCE_S = 12.0
"""So long a fault waits until what it hits is at work."""
SLACK = 2.5
"""A run may take so many times what its pauses take; then faults wait for nothing."""
LOOK_S = 0.25
RECOVERY_S = 120.0
AHEAD = 4
"""Among so many of the next faults the first is taken that hits something at work."""


@dataclass
class _Deed:
    fault: Fault
    begun: float  # seconds since 1970, as the others
    under_way: Strike | None
    healed: float = 0.0
    recovered: float = 0.0


class Chaos:
    """Call ``step`` often from the main thread until ``is_over``; then ``finish``."""

    def __init__(
        self,
        field: Field,
        plan: list[Fault],
        chance: random.Random,
        *,
        pause_s: tuple[float, float],
        say: Callable[[str], None],
    ) -> None:
        self._field = field
        self._plan = list(plan)
        self._chance = chance
        self._pause_s = pause_s
        self._say = say
        self._deeds: list[_Deed] = []
        self._looked_at = 0.0
        self.begin()

    def begin(self) -> None:
        """Count time from now on; what took long before is no reason to hurry."""
        self._origin = self._struck_at = time.monotonic()
        self._next_at = self._origin + self._chance.uniform(*self._pause_s)
        self._patient_until = self._origin + SLACK * len(self._plan) * sum(self._pause_s) / 2

    @property
    def is_over(self) -> bool:
        """Whether everything that was planned has happened and is healed."""
        return not self._plan and all(deed.healed for deed in self._deeds)

    @property
    def progress(self) -> float:
        """How much of the plan is over, 0 to 1, moving on between two faults; for any thread."""
        now, planned = time.monotonic(), len(self._deeds) + len(self._plan)
        between = (now - self._struck_at) / (sum(self._pause_s) / 2)
        return (len(self._deeds) + min(1.0, between)) / (planned + 1)

    @property
    def done(self) -> list[Fault]:
        """What has happened."""
        return [deed.fault for deed in self._deeds]

    @property
    def left(self) -> int:
        """How many faults have not happened."""
        return len(self._plan)

    def step(self) -> None:
        """Go on with what is under way, and begin the next fault if it is time."""
        for deed in self._deeds:
            self._advance(deed)
        now = time.monotonic()
        if now < self._looked_at + LOOK_S:
            return
        self._note_recoveries()
        if self._plan and now >= self._next_at:
            fault = self._choose(
                is_patient=now < min(self._next_at + PATIENCE_S, self._patient_until)
            )
            if fault:
                self._begin(fault)
                self._next_at = time.monotonic() + self._chance.uniform(*self._pause_s)
        self._looked_at = time.monotonic()

    def finish(self) -> None:
        """Heal what is still under way."""
        for deed in self._deeds:
            if deed.under_way:
                deed.under_way.close()  # type: ignore[attr-defined]
                deed.under_way, deed.healed = None, time.time()

    def disturbances(self, now: float) -> list[Disturbance]:
        """What happened when; what has not recovered disturbs until ``now``."""
        return [
            Disturbance(
                deed.fault.kind,
                deed.fault.target,
                deed.begun,
                max(deed.healed, deed.recovered) if deed.recovered else now,
            )
            for deed in self._deeds
        ]

    def recovery_s(self) -> dict[str, list[float]]:
        """Seconds from the end of a fault until what it hit was ready, by fault."""
        found: dict[str, list[float]] = {}
        for deed in self._deeds:
            if deed.recovered:
                name = f"{deed.fault.kind} {deed.fault.target}"
                found.setdefault(name, []).append(deed.recovered - deed.healed)
        return found

    def _choose(self, *, is_patient: bool) -> Fault | None:
        """The first that hits something at work; the first of all when it has waited enough."""
        for fault in self._plan[:AHEAD]:
            if all(self._is_at_work(name) for name in _hit(fault)):
                return fault
        return None if is_patient else self._plan[0]

    def _begin(self, fault: Fault) -> None:
        self._say(f"{time.monotonic() - self._origin:6.1f} s  {fault}")
        self._plan.remove(fault)
        self._struck_at = time.monotonic()
        deed = _Deed(fault, time.time(), strike(fault, self._field))
        self._deeds.append(deed)
        self._advance(deed)

    def _advance(self, deed: _Deed) -> None:
        if deed.under_way is None:
            return
        try:
            next(deed.under_way)
        except StopIteration:
            deed.under_way, deed.healed = None, time.time()

    def _note_recoveries(self) -> None:
        for deed in self._deeds:
            if deed.healed and not deed.recovered and self._is_recovered(deed):
                deed.recovered = time.time()

    def _is_recovered(self, deed: _Deed) -> bool:
        """What never recovers is left to the judge."""
        if time.time() > deed.healed + RECOVERY_S:
            return False
        return all(self._is_at_work(name) for name in _hit(deed.fault))

    def _is_at_work(self, name: str) -> bool:
        busy = {
            d.fault.target
            for d in self._deeds
            if d.under_way and d.fault.kind in {"pause", "zombie"}
        }
        if name in busy or (name not in SERVICES and busy):
            return False  # it would be asked in vain, for two seconds
        return self._field.is_ready(name)


def _hit(fault: Fault) -> list[str]:
    """The parts that a fault is about."""
    if fault.kind.startswith("net-"):
        return [fault.target.partition("-")[0]]
    if fault.target == "every topic":
        return ["kafka"]
    if fault.target == "all services":
        return ["all"]
    return fault.target.split(", ")
