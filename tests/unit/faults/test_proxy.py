import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import pytest

from deploy.local.ports import free_port
from tests.faults.proxy import Link


@asynccontextmanager
async def a_link() -> AsyncIterator[Link]:
    """A link to a server that says everything back."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1000):
            writer.write(data)

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        link = Link("a", free_port(), lambda: ("127.0.0.1", port))
        await link.start()
        yield link
        await link.stop()


class Caller:
    """Says things through a link."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._link.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.transport.abort()

    async def asks(self, words: bytes, *, within_s: float = 10.0) -> bytes:
        self.writer.write(words)
        async with asyncio.timeout(within_s):
            return await self.reader.read(1000)


async def test_an_open_link_carries_both_ways() -> None:
    async with a_link() as link, Caller(link) as caller:
        assert await caller.asks(b"hello") == b"hello"


async def test_a_cut_link_ends_connections_and_makes_none_until_it_is_open() -> None:
    async with a_link() as link, Caller(link) as caller:
        await caller.asks(b"hello")

        link.set_mode("cut")

        with pytest.raises(ConnectionError):
            await caller.asks(b"there?")
        async with Caller(link) as second:
            assert await _is_gone(second)
        link.set_mode("open")
        async with Caller(link) as third:
            assert await third.asks(b"again") == b"again"


async def _is_gone(caller: Caller) -> bool:
    try:
        return await caller.asks(b"hello") == b""
    except ConnectionError:
        return True


async def test_what_a_silent_link_kept_arrives_when_it_is_open_again() -> None:
    for mode in ("silent-to-server", "silent-to-client"):
        async with a_link() as link, Caller(link) as caller:
            link.set_mode(mode)  # type: ignore[arg-type]
            with pytest.raises(TimeoutError):
                await caller.asks(b"hello", within_s=0.2)

            link.set_mode("open")

            assert await caller.reader.read(1000) == b"hello"


async def test_a_reset_link_takes_new_connections() -> None:
    async with a_link() as link, Caller(link) as caller:
        await caller.asks(b"hello")

        link.reset()

        assert await _is_gone(caller)
        async with Caller(link) as second:
            assert await second.asks(b"again") == b"again"
