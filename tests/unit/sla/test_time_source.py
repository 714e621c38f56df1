"""Due times are compared with one clock: the database's."""

from datetime import timedelta

import pytest

from services.sla.time_source import DatabaseClock
from tests.ticket_history import at

NINE = at("2026-11-20 09:00")


class Machine:
    """A database's clock and a monotonic one, moved by the test."""

    def __init__(self) -> None:
        self.database, self.monotonic_s = NINE, 1000.0

    async def ask(self) -> object:
        return self.database

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


async def test_a_clock_that_nobody_set_tells_no_time() -> None:
    with pytest.raises(RuntimeError, match="not asked"):
        Machine().clock().now()
