"""Due times are compared with one clock: the database's."""

from datetime import timedelta

import pytest

from services.sla.time_source import DatabaseClock
from tests.ticket_history import at

NINE = at("2026-11-20 09:00")


class Machine:
    """A database's clock and a monotonic one, moved by the test."""

    def __init__(self, *, there_s: float = 0.0, back_s: float = 0.0) -> None:
        self.database, self.monotonic_s = NINE, 1000.0
        self._there_s, self._back_s = there_s, back_s

    def passes(self, seconds: float) -> None:
        self.database += timedelta(seconds=seconds)
        self.monotonic_s += seconds

    async def ask(self) -> object:
        self.passes(self._there_s)
        told = self.database
        self.passes(self._back_s)
        return told

    def clock(self) -> DatabaseClock:
        return DatabaseClock(self.ask, lambda: self.monotonic_s)


async def test_time_goes_on_between_two_questions() -> None:
    machine = Machine()
    clock = machine.clock()
    await clock.sync()

    machine.monotonic_s += 40.0

    assert clock.now() == NINE + timedelta(seconds=40)


@pytest.mark.feature("S06")
async def test_only_the_databases_clock_moves_it() -> None:
    machine = Machine()
    clock = machine.clock()
    await clock.sync()
    machine.database += timedelta(hours=2)

    before = clock.now()
    await clock.sync()

    assert (before, clock.now()) == (NINE, NINE + timedelta(hours=2))


@pytest.mark.parametrize(
    ("there_s", "back_s", "behind_s"), [(0, 0, 0), (8, 0, 0), (0, 8, 8), (4, 4, 4)]
)
async def test_on_a_slow_way_it_is_late_and_never_early(
    there_s: float, back_s: float, behind_s: float
) -> None:
    machine = Machine(there_s=there_s, back_s=back_s)
    clock = machine.clock()

    await clock.sync()

    assert machine.database - clock.now() == timedelta(seconds=behind_s)


async def test_a_clock_that_nobody_set_tells_no_time() -> None:
    with pytest.raises(RuntimeError, match="not asked"):
        Machine().clock().now()
