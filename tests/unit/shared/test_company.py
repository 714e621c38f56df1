"""Waiting for others: in steps, as long as some come, and not where none are expected."""

import pytest

from shared.company import STEP_S, Company

MANY, ENOUGH = 5, 20


class Flow:
    """A clock that only waiting moves, and how many there are after each step."""

    def __init__(self, *counts: int) -> None:
        self.now = 0.0
        self.counts = list(counts)
        self.slept_s = 0.0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept_s += seconds

    async def count(self) -> int:
        return self.counts.pop(0) if len(self.counts) > 1 else self.counts[0]


async def waited_s(flow: Flow, *, came: int = MANY, rested_s: float = 0.0) -> float:
    company = Company(MANY, enough=ENOUGH, longest_s=0.3, lasts_s=2.0, clock=flow.clock)
    company.came(came)
    flow.now += rested_s
    await company.gather(flow.count, sleep=flow.sleep)
    return flow.slept_s


async def test_after_many_at_once_others_are_waited_for_as_long_as_some_come() -> None:
    assert await waited_s(Flow(1, 2, 3, 3, 9)) == pytest.approx(3 * STEP_S)


async def test_who_waits_alone_waits_one_step() -> None:
    assert await waited_s(Flow(1)) == pytest.approx(STEP_S)


async def test_when_there_are_enough_nobody_waits() -> None:
    assert await waited_s(Flow(ENOUGH)) == 0
    assert await waited_s(Flow(1, ENOUGH, ENOUGH + 1)) == pytest.approx(STEP_S)


async def test_however_many_come_the_wait_has_an_end() -> None:
    assert await waited_s(Flow(*range(1, ENOUGH))) == pytest.approx(0.3)


async def test_after_a_few_nobody_is_waited_for() -> None:
    assert await waited_s(Flow(1, 2, 3), came=MANY - 1) == 0


@pytest.mark.parametrize(("rested_s", "steps"), [(1.9, 1), (2.0, 0)])
async def test_more_are_expected_for_a_while_only(rested_s: float, steps: int) -> None:
    assert await waited_s(Flow(1), rested_s=rested_s) == pytest.approx(steps * STEP_S)
