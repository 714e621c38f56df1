"""A service of one handler, as a process; ``hang`` makes its handler never return."""

import asyncio
import sys
from typing import Any

from shared.contracts.topics import Topic
from shared.parts import Background, Context, Part
from shared.service import main
from shared.settings import ServiceSettings
from tests.bus_records import Erased, Noted


async def build(context: Context) -> list[Part]:
    topic_name, mode = sys.argv[2:]
    topic = Topic(topic_name, "key", "tests", (), (Noted, Erased), partitions=3)

    async def handle(batch: list[Any]) -> None:
        if mode == "hang":
            await asyncio.sleep(3600)
        if mode == "block":
            while True:
                pass
        print(*(one.record.text for one in batch), flush=True)

    async def tick() -> None:
        return

    context.bus.batches(topic, handle)
    return [Background("tick", tick)]


if __name__ == "__main__":
    main(sys.argv[1], ServiceSettings(), build)
