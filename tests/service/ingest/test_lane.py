"""The pace of large mails and of strangers."""

import asyncio

from services.ingest.lane import Lane, Turns

ROUNDED_S = 0.002
"""uvloop tells the time in whole milliseconds."""


async def test_blocks_of_all_share_one_rate_in_their_turns() -> None:
    lane, loop = Lane(1_000_000), asyncio.get_running_loop()
    order: list[str] = []

    async def mail(name: str) -> None:
        for _ in range(3):
            await lane.carry(10_000)
            order.append(name)

    began = loop.time()
    await asyncio.gather(mail("a"), mail("b"))

    assert order[:4] == ["a", "b", "a", "b"]
    assert loop.time() - began >= 0.05 - ROUNDED_S  # the sixth waits for five


async def test_an_empty_lane_saves_nothing_up() -> None:
    lane, loop = Lane(1_000_000), asyncio.get_running_loop()
    await asyncio.sleep(0.05)

    began = loop.time()
    await lane.carry(20_000)
    await lane.carry(1)

    assert loop.time() - began >= 0.02 - ROUNDED_S


async def test_between_two_turns_everybody_else_is_heard() -> None:
    turns, order = Turns(), list[str]()

    async def large() -> None:
        await turns.take()
        order.append("large")

    async def small() -> None:
        for _ in range(3):
            await asyncio.sleep(0)
            order.append("small")

    await asyncio.gather(*(large() for _ in range(6)), small())

    assert order.index("small") < 2
    assert order[:8].count("small") == 3
