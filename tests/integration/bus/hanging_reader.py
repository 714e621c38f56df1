"""A process that takes a batch and never finishes it, to be killed meanwhile."""

import asyncio
import sys
from typing import Any

from shared.bus import Bus
from shared.contracts.topics import Topic
from tests.bus_records import Noted


async def main() -> None:
    kafka, topic_name, service = sys.argv[1:]
    topic = Topic(topic_name, "key", "tests", (), (Noted,), partitions=3)

    async def handle(batch: list[Any]) -> None:
        print(len(batch), flush=True)
        await asyncio.sleep(3600)

    bus = Bus(kafka=kafka, service=service, instance="1")
    bus.batches(topic, handle)
    await bus.start()
    await asyncio.sleep(3600)


asyncio.run(main())
