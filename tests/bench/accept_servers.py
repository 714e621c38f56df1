"""The two servers that `tests.bench.accept` compares, each as a process of its own.

Prints the port when it listens; ends when its standard input does.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

import uvloop
from aiosmtpd.smtp import SMTP

from services.ingest.accept import Acceptance
from services.ingest.door import Door
from services.ingest.spool import Spool
from services.ingest.store import INBOUND, INDEXES
from shared import mongo
from shared.blobs import Blobs
from shared.clock import SystemClock
from shared.config.loading import load_desk
from shared.interpreter import tune
from shared.mongo import Document

DESK = Path(__file__).parents[2] / "deploy" / "presets" / "demo.yaml"


class NobodyReads:
    """Leaves the rows to another process."""

    def lease(self, rows: int) -> Document:  # noqa: ARG002 - the protocol's name
        return {"lease_until": SystemClock().now(), "attempts": 0}

    def hand_over(self, rows: list[Document]) -> None:
        """Nothing to do."""


class Fsyncing:
    """A bare handler: each mail is a file, written and synced before the 250."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    async def handle_DATA(self, _server, _session, envelope) -> str:  # noqa: N802 - aiosmtpd's name
        self._count += 1
        with (self._folder / f"{self._count}.eml").open("wb") as file:
            file.write(envelope.content)
            file.flush()
            os.fsync(file.fileno())
        return "250 OK"


async def serve_ours(uri: str, database: str) -> None:
    """Door and spool as the service has them; nobody parses."""
    client = mongo.connect(uri)
    rows = client[database]
    await mongo.ensure_indexes(rows, INDEXES)
    desk = load_desk(DESK).desk
    door: list[Door] = []
    spool = Spool(rows[INBOUND], expecting=lambda: door[0].in_data)
    acceptance = Acceptance(spool, Blobs(client).put, SystemClock(), NobodyReads())
    door.append(Door(lambda: desk, acceptance.store))
    tune()
    committing = asyncio.create_task(spool.run())
    _, port = await door[0].open("127.0.0.1", 0)
    await _until_input_ends(port)
    committing.cancel()
    await client.drop_database(database)


async def serve_bare(folder: str) -> None:
    """Plain aiosmtpd."""
    with tempfile.TemporaryDirectory(dir=folder) as mails:
        loop = asyncio.get_running_loop()
        handler = Fsyncing(Path(mails))
        server = await loop.create_server(
            lambda: SMTP(handler, hostname="bare.example", loop=loop), "127.0.0.1", 0
        )
        await _until_input_ends(server.sockets[0].getsockname()[1])


async def _until_input_ends(port: int) -> None:
    print(port, flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    kind, *arguments = sys.argv[1:]
    if kind == "ours":
        uvloop.run(serve_ours(*arguments))
    else:
        asyncio.run(serve_bare(*arguments))
