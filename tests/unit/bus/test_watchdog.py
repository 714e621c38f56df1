import time
from typing import Any

import pytest

from shared import watchdog as module
from shared.health import Health
from shared.watchdog import Watchdog


class EndedError(Exception):
    pass


class Bus:
    up = True

    async def is_answering(self) -> bool:
        return self.up


class Work:
    name = "relay"
    trouble = ""
    done = 0
    left = 5

    async def waiting(self) -> int:
        if self.left < 0:
            raise ConnectionError
        return self.left


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Any:
    class World:
        mongo_up = True
        now = 1_000.0

    world = World()

    async def is_answering(_client: object) -> bool:
        return world.mongo_up

    def end(_part: object) -> None:
        raise EndedError

    monkeypatch.setattr(module.mongo, "is_answering", is_answering)
    monkeypatch.setattr(module, "_end", end)
    monkeypatch.setattr(module.time, "monotonic", lambda: world.now)
    world.bus, world.work, world.health = Bus(), Work(), Health()
    world.dog = Watchdog(
        None, world.bus, world.health, needs=("mongo", "kafka"), stuck_s=60, interval_s=5
    )
    world.dog.watch(world.work)

    async def later(seconds: float) -> None:
        world.now += seconds
        await world.dog._look()

    world.later = later
    return world


async def test_work_that_waits_while_nothing_moves_ends_the_process(world) -> None:
    await world.later(0)
    await world.later(59)

    with pytest.raises(EndedError):
        await world.later(2)


async def test_work_that_moves_however_slowly_is_left_alone(world) -> None:
    for _ in range(5):
        await world.later(50)
        world.work.done += 1


async def test_an_idle_process_is_left_alone(world) -> None:
    world.work.left = 0

    for _ in range(3):
        await world.later(100)


async def test_idle_time_does_not_count_when_work_arrives(world) -> None:
    world.work.left = 0
    await world.later(0)
    await world.later(100)
    world.work.left = 5

    await world.later(5)


@pytest.mark.parametrize("dependency", ["mongo", "kafka"])
async def test_the_process_stays_up_while_a_dependency_is_away(world, dependency) -> None:
    await world.later(0)
    world.mongo_up, world.bus.up = dependency != "mongo", dependency != "kafka"

    for _ in range(3):
        await world.later(100)

    assert not world.health.is_ready
    assert not world.health.checks[dependency].is_ok


async def test_the_time_a_dependency_was_away_does_not_count(world) -> None:
    await world.later(0)
    world.mongo_up = False
    await world.later(100)
    world.mongo_up = True

    await world.later(50)


async def test_work_that_says_what_it_waits_for_is_left_alone_and_shown(world) -> None:
    world.work.trouble = "waiting for DNS"

    for _ in range(3):
        await world.later(100)

    assert world.health.checks["relay"].detail == "waiting for DNS"
    assert world.health.is_ready


async def test_reading_that_was_halted_makes_the_process_unready(world) -> None:
    world.work.trouble, world.work.halted = "too many dead letters", True

    await world.later(0)

    assert not world.health.is_ready


async def test_work_that_cannot_be_counted_counts_as_waiting(world) -> None:
    world.work.left = -1
    await world.later(0)

    with pytest.raises(EndedError):
        await world.later(61)


def test_the_clock_that_was_replaced_is_the_one_used(world) -> None:
    assert time.monotonic() == world.now
