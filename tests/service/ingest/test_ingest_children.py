"""Parser processes: they live on, they are killed, and the mail that was to blame is known."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil
import pytest

from services.ingest.children import Allowance, Children, NoParserError

SMALL = b"From: ann@example.com\r\nSubject: small\r\n\r\nhello\r\n"
LARGE = (
    b"From: ann@example.com\r\nSubject: large\r\nContent-Type: text/html\r\n\r\n"
    + b"<p>one <b>two</b></p>\r\n" * 40_000
)


@asynccontextmanager
async def some_children(count: int = 1, **allowance: float) -> AsyncIterator[Children]:
    children = Children(count, Allowance(**allowance))
    await children.start()
    try:
        yield children
    finally:
        await children.stop()


def subjects(readings: list) -> list[str]:
    return [reading.fields["subject"] for reading in readings]


async def test_mails_are_read_by_a_child_that_lives_on() -> None:
    async with some_children() as children:
        (child,) = children._all
        first = await children.read([SMALL, SMALL.replace(b"small", b"second")])
        again = await children.read([SMALL])

        assert subjects(first.readings) == ["small", "second"]
        assert subjects(again.readings) == ["small"]
        assert children._all == {child}


async def test_too_much_cpu_time_ends_the_child_and_names_the_mail() -> None:
    async with some_children(cpu_s=0.04) as children:
        answers = await children.read([SMALL, LARGE, SMALL])

        assert subjects(answers.readings) == ["small"]
        assert answers.failure == "ended by signal 27"
        assert subjects((await children.read([SMALL])).readings) == ["small"]


async def test_too_much_time_ends_the_child() -> None:
    async with some_children() as children:
        (child,) = children._all
        psutil.Process(child._process.pid).suspend()
        children._allowance = Allowance(wall_s=0.1)

        answers = await children.read([SMALL])

        assert answers.failure == "took more than 0.1 s"
        assert not psutil.pid_exists(child._process.pid)


async def test_too_much_memory_ends_in_a_failure_not_in_a_swollen_child() -> None:
    async with some_children(memory_bytes=8_000_000) as children:
        answers = await children.read([b"Subject: x\r\n\r\n" + b"x" * 20_000_000])

        assert answers.failure.startswith("ended with")


@pytest.mark.parametrize("reason", ["parser ended by signal 27"])
async def test_headers_alone_are_read_for_a_reason(reason: str) -> None:
    async with some_children() as children:
        answers = await children.read([LARGE], reason=reason)

    assert answers.readings[0].fields["subject"] == "large"
    assert answers.readings[0].fields["unreadable"] == reason


async def test_children_are_started_as_they_are_needed() -> None:
    async with some_children(2) as children:
        assert len(children._all) == 1

        both = await asyncio.gather(children.read([LARGE]), children.read([LARGE]))

        assert [subjects(answers.readings) for answers in both] == [["large"], ["large"]]
        assert len(children._all) == 2


async def test_a_child_ends_with_its_parent() -> None:
    async with some_children() as children:
        (child,) = children._all
        process = psutil.Process(child._process.pid)

        child._process.stdin.close()

        await asyncio.wait_for(child._process.wait(), 10)
        assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


async def test_a_child_knows_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTDESK_MONGO", "mongodb://user:password@host")
    async with some_children() as children:
        (child,) = children._all

        assert "POSTDESK_MONGO" not in psutil.Process(child._process.pid).environ()


async def test_a_cancelled_read_leaves_no_child_behind() -> None:
    async with some_children() as children:
        (child,) = children._all
        psutil.Process(child._process.pid).suspend()
        reading = asyncio.create_task(children.read([SMALL]))
        await asyncio.sleep(0)

        reading.cancel()
        await asyncio.wait([reading])

        assert subjects((await children.read([SMALL])).readings) == ["small"]


async def test_a_parser_that_cannot_start_is_no_mails_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    children = Children(1)

    with pytest.raises(NoParserError):
        await children.read([SMALL])

    assert children._all == set()
