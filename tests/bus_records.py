"""A small topic and record for tests of the bus, which should not change with the real ones."""

import asyncio
import inspect
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

from shared.bus import Outgoing
from shared.contracts.base import Event, Meta
from shared.contracts.topics import Topic

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Noted(Event):
    type: Literal["test.noted"] = "test.noted"
    version: Literal[1] = 1
    text: str = ""


class Erased(Event):
    type: Literal["test.erased"] = "test.erased"
    version: Literal[1] = 1
    number: int


def a_topic(*, compacted: bool = False, partitions: int = 3) -> Topic:
    """A topic that no other test uses."""
    return Topic(
        name=f"test-{uuid.uuid4().hex[:12]}",
        key="anything",
        owner="tests",
        readers=("tests",),
        records=(Noted, Erased),
        partitions=partitions,
        compacted=compacted,
    )


def a_meta(record_id: str = "", **more: str) -> Meta:
    return Meta(id=record_id or uuid.uuid4().hex, source="postdesk/tests", time=NOON, **more)


def a_note(topic: Topic, text: str, *, key: str = "") -> Outgoing:
    """A record whose id is its text."""
    return Outgoing(topic, key or text, Noted(text=text), a_meta(text))


async def until(condition: Callable[[], Any], *, seconds: float = 30.0) -> None:
    """Return when the condition, which may be awaitable, holds; fails after the time limit."""
    deadline = time.monotonic() + seconds
    while True:
        holds = condition()
        if await holds if inspect.isawaitable(holds) else holds:
            return
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.01)
