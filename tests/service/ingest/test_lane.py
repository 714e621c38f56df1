"""The lane of large mails."""

import asyncio

from services.ingest.lane import Lane


async def test_blocks_of_all_share_one_rate_in_their_turns() -> None:
    lane, loop = Lane(bytes_per_s=1_000_000), asyncio.get_running_loop()
    order: list[str] = []

    async def mail(name: str) -> None:
        for _ in range(3):
            await lane.carry(10_000)
            order.append(name)

    began = loop.time()
    await asyncio.gather(mail("a"), mail("b"))

    assert order[:4] == ["a", "b", "a", "b"]
    assert loop.time() - began >= 0.06


async def test_an_empty_lane_saves_nothing_up() -> None:
    lane, loop = Lane(bytes_per_s=1_000_000), asyncio.get_running_loop()
    await asyncio.sleep(0.05)

    began = loop.time()
    await lane.carry(20_000)

    assert loop.time() - began >= 0.02
