"""SMTP dialogues as scripts: ``C:`` is sent, ``S:`` is expected; replies may be beginnings."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from services.ingest import replies
from services.ingest.body import Body
from services.ingest.door import Delivery, Door, Timing
from services.ingest.room import Room
from services.ingest.smtp import Session
from tests.builders import a_desk


def _copy(body: Body) -> Body:
    """The door closes a body when the store is done with it."""
    copy = Body(is_roomy=lambda: True)
    copy.write(body.read())
    return copy


class Mails:
    """Stands for the store: keeps what it is given, or waits or fails as it is told."""

    def __init__(self) -> None:
        self.stored: list[Delivery] = []
        self.may_finish = asyncio.Event()
        self.may_finish.set()
        self.began = asyncio.Event()
        self.failure: Exception | None = None

    async def store(self, delivery: Delivery) -> list[str]:
        self.began.set()
        await self.may_finish.wait()
        if self.failure:
            raise self.failure
        self.stored.append(replace(delivery, body=_copy(delivery.body)))
        return [replies.queued(f"id-{len(self.stored)}")] * len(delivery.recipients)

    @property
    def only(self) -> Delivery:
        assert len(self.stored) == 1
        return self.stored[0]


@asynccontextmanager
async def an_open_door(
    mails: Mails,
    *,
    host: str = "127.0.0.1",
    speaks: type[Session] = Session,
    timing: Timing | None = None,
    room: Room | None = None,
    is_behind: Callable[[], bool] = lambda: False,
    **limits: Any,
) -> AsyncIterator[tuple[Door, int]]:
    """A door on loopback with these limits of the desk's ``door`` section, and its port."""
    desk = a_desk(door={"exempt": [], **limits})
    door = Door(lambda: desk, mails.store, timing=timing, room=room, is_behind=is_behind)
    _, port = await door.open(host, 0, speaks)
    try:
        yield door, port
    finally:
        mails.may_finish.set()
        await door.close(0.5)


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, port: int, *, host: str = "127.0.0.1", source: str = "") -> "Client":
        """``source`` is the address to come from, on loopback any of 127.0.0.0/8."""
        own = (source, 0) if source else None
        return cls(*await asyncio.open_connection(host, port, local_addr=own))

    def send(self, raw: bytes) -> None:
        self.writer.write(raw)

    async def reply(self) -> str:
        """The next reply, its last line; "" when the server has closed."""
        async with asyncio.timeout(10):
            while True:
                try:
                    line = (await self.reader.readline()).decode()
                except ConnectionError:
                    return ""
                if line[3:4] != "-":
                    return line.rstrip("\r\n")

    async def play(self, script: str) -> str:
        """Play the script; gives the last reply. Escapes are Python's, CRLF is added."""
        said = ""
        for line in filter(str.strip, script.splitlines()):
            side, _, text = line.strip().partition(": ")
            if side == "C":
                self.send(text.encode().decode("unicode_escape").encode("latin-1") + b"\r\n")
            else:
                said = await self.reply()
                assert said.startswith(text), f"{said!r} instead of {text!r}"
        return said

    async def begin(self, recipient: str = "support@desk.example") -> None:
        """All that comes before DATA."""
        await self.play(
            f"""
            S: 220
            C: EHLO client.example
            S: 250
            C: MAIL FROM:<ann@example.com>
            S: 250 2.1.0
            C: RCPT TO:<{recipient}>
            S: 250 2.1.5
            """
        )

    async def close(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        """Go away without a word (RST), as a machine that loses its network does in the end."""
        own = self.writer.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, at most 60 s."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - any condition, of any object
            await asyncio.sleep(0.005)
