"""Mail that leaves cannot be cut in two, even by a server that takes any newlines for the end."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from services.notify.domain.wire import File
from services.notify.relay import RelaySettings, SMTPRelay
from services.notify.stationery import Files
from tests.unit.notify.cases import EMMA
from tests.unit.notify.test_letters import a_reply

ANY_END = re.compile(rb"(?:\r\n|\r|\n)\.(?:\r\n|\r|\n)")
SECOND = (
    "MAIL FROM:<admin@desk.example>\r\nRCPT TO:<victim@x.example>\r\nDATA\r\nI am forged.\r\n.\r\n"
)
ENDS = ["\r\n.\r\n", "\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r.\r\n", "\r\n.\r", "\r.\n"]


class Gullible:
    """A server that ends a mail at anything that looks like a lone dot, and keeps each command."""

    def __init__(self) -> None:
        self.said: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 gullible\r\n")
        while line := await reader.readline():
            self.said.append(line.strip())
            if line[:4].upper() == b"DATA":
                writer.write(b"354 go\r\n")
                await self._take(reader)
            writer.write(b"250 ok\r\n")
        writer.close()

    async def _take(self, reader: asyncio.StreamReader) -> None:
        seen = b"\r\n"
        while not ANY_END.search(seen):
            seen = seen[-4:] + await reader.readexactly(1)


@pytest.fixture
async def gullible() -> AsyncIterator[tuple[Gullible, int]]:
    told = Gullible()
    server = await asyncio.start_server(told.serve, "127.0.0.1", 0)
    yield told, server.sockets[0].getsockname()[1]
    server.close()


async def test_the_server_is_as_gullible_as_it_says(gullible: tuple[Gullible, int]) -> None:
    told, port = gullible
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"DATA\r\nhello\n.\n" + SECOND.encode())
    writer.write_eof()
    async with asyncio.timeout(10):
        while b"DATA" not in told.said[1:]:  # noqa: ASYNC110 - the server's own pace
            await asyncio.sleep(0.01)

    assert told.said[1] == b"MAIL FROM:<admin@desk.example>"
    writer.close()


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("kind", ["text/plain", "message/rfc822", "application/pdf"])
async def test_t23_no_text_and_no_file_ends_the_mail_that_carries_it(
    gullible: tuple[Gullible, int], end: str, kind: str
) -> None:
    told, port = gullible
    hostile = f"hello{end}{SECOND}"
    files = Files(sent=(File("note", kind, hostile.encode()),))
    letter = a_reply(hostile, files=files)
    relay = SMTPRelay(RelaySettings("127.0.0.1", port, timeout_s=5))

    outcome = await relay.send("bounce@desk.example", EMMA, letter.raw)
    await relay.close()

    assert outcome.result == "sent"
    senders = [command for command in told.said if command.upper().startswith(b"MAIL")]
    assert len(senders) == 1
    assert b"victim@x.example" not in b" ".join(told.said)
