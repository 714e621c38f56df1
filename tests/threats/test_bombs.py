"""Forty mails that are dear to read, through the real reader and its children."""

import asyncio
import resource
from typing import Any

import psutil
import pytest

from services.ingest.children import Allowance, Children
from services.ingest.intake import Intake
from services.ingest.parsing import MailReader
from services.ingest.tools import Tools
from tests.builders import a_desk, an_address_book
from tests.service.ingest.memory import (
    BlobsInMemory,
    Leases,
    NoLimits,
    Orders,
    Senders,
    Topic,
    a_row,
)
from tests.threats.bombs import BODIES, bomb

pytestmark = pytest.mark.timeout(600)
LIMIT_S = 12.0
"""Of processor time, on whatever machine: the limit of a mail and something for its headers."""
CPU_S = 2.0  # less than a desk allows, so that the test is quicker


def test_t13_there_are_forty_bombs_and_none_is_heavy_on_the_wire() -> None:
    assert len(BODIES) >= 40
    assert max(len(bomb(name)) for name in BODIES) < 6 * 1024 * 1024


async def test_t13_each_bomb_ends_in_time_is_told_of_and_disturbs_nobody() -> None:
    children = Children(2, Allowance(cpu_s=CPU_S, wall_s=120))
    await children.start()
    leases, topic = Leases(), Topic()
    tools = Tools(
        rows=leases, parsers=children, blobs=BlobsInMemory(), bus=topic,
        book=an_address_book(), trusted=lambda: ("mx.desk.example",), senders=Senders(),
        intake=Intake(a_desk, an_address_book()),
        limits=NoLimits(), orders=Orders(),
    )  # fmt: skip
    reader = MailReader(tools, workers=2)
    await reader.start()
    taken: dict[str, float] = {}
    try:
        for name in BODIES:
            began = _cpu_s(children)
            reader.hand_over([a_row(name, bomb(name)), a_row(f"good {name}", _good(name))])
            await _settled(leases, 2 * (len(taken) + 1))
            taken[name] = _cpu_s(children) - began
    finally:
        await reader.stop()
        await children.stop()

    records: dict[str, Any] = {one.meta.id: one.record for one in topic.records}
    assert len(records) == len(topic.records) == 2 * len(BODIES)
    for name in BODIES:
        assert records[name].from_addr == "eve@evil.example", name
        assert records[f"good {name}"].text == f"good {name}", name
        assert not records[f"good {name}"].unreadable
        if records[name].unreadable:
            assert leases.states[name].startswith("quarantined"), name
            assert records[name].raw_blob, name
    assert max(taken.values()) < LIMIT_S, taken
    assert [state for state in leases.states.values() if "signal" in state], "none was a bomb"


def _cpu_s(children: Children) -> float:
    """Processor time of all parser processes so far, those that are dead too."""
    dead = resource.getrusage(resource.RUSAGE_CHILDREN)
    alive = [psutil.Process(child._process.pid).cpu_times() for child in children._all]
    return dead.ru_utime + dead.ru_stime + sum(one.user + one.system for one in alive)


async def _settled(leases: Leases, count: int) -> None:
    while len(leases.states) < count:  # noqa: ASYNC110 - the reader is what is waited for
        await asyncio.sleep(0.01)


def _good(name: str) -> bytes:
    return f"From: ann@example.com\r\nSubject: x\r\n\r\ngood {name}\r\n".encode()
