"""A TCP proxy whose network can be broken: cut, silent in one way, slow, or reset."""

import asyncio
from collections.abc import Callable
from socket import SO_LINGER, SOL_SOCKET
from struct import pack
from typing import Literal

Mode = Literal["open", "cut", "silent-to-server", "silent-to-client", "slow"]

CHUNK = 64 * 1024
SLOW_S = 2.0
LOOPBACK = "127.0.0.1"


class Link:
    """One way from a client to a server; listens at ``port`` between `start` and `stop`.

    ``cut``: connections end and none is made. ``silent``: bytes of one way get stuck, as on a
    route that is gone, and go on when the link is open again, as TCP sends them anew. ``slow``:
    each piece arrives 2 s late. Call everything from the loop that it was started on.
    """

    def __init__(self, name: str, port: int, server: Callable[[], tuple[str, int]]) -> None:
        self.name = name
        self.port = port
        self._server = server
        self._mode: Mode = "open"
        self._opened = asyncio.Event()
        self._opened.set()
        self._listening: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen."""
        self._listening = await asyncio.start_server(self._on_client, LOOPBACK, self.port)

    async def stop(self) -> None:
        """End everything."""
        if self._listening:
            self._listening.close()
        self.set_mode("cut")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def set_mode(self, mode: Mode) -> None:
        """Break the link so, or mend it (``open``)."""
        self._mode = mode
        if mode == "cut":
            self.reset()
        if mode.startswith("silent"):
            self._opened.clear()
        else:
            self._opened.set()

    def reset(self) -> None:
        """End all connections with RST; new ones can be made."""
        for writer in list(self._writers):
            # Closing with no time to linger makes the system send RST (socket(7)).
            writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, pack("ii", 1, 0))
            writer.transport.abort()

    async def _on_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            if self._mode != "cut":
                await self._join(reader, writer)
        except asyncio.CancelledError:
            pass  # the link is stopped; asyncio would call this an error of the server
        finally:
            writer.close()
            self._writers.discard(writer)
            self._tasks.discard(task)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._server())
        except OSError:
            return
        self._writers.add(far_writer)
        ways = [
            asyncio.ensure_future(self._carry(reader, far_writer, "silent-to-server")),
            asyncio.ensure_future(self._carry(far_reader, writer, "silent-to-client")),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            far_writer.close()
            self._writers.discard(far_writer)

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, silent: Mode
    ) -> None:
        """Return when one side is gone."""
        try:
            while data := await reader.read(CHUNK):
                if self._mode == "slow":
                    await asyncio.sleep(SLOW_S)
                if self._mode == silent:
                    await self._opened.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            return
