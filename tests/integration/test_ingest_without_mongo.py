"""The door while MongoDB is frozen: nobody hears 250, and afterwards each mail is there once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from deploy.local.providers.embedded_mongo import EmbeddedMongo
from services.ingest.accept import Acceptance
from services.ingest.door import Door
from services.ingest.spool import Spool
from services.ingest.store import INBOUND
from shared import mongo as database
from shared.blobs import Blobs
from shared.clock import SystemClock
from tests.builders import a_desk
from tests.service.ingest.dialogue import Client

pytestmark = pytest.mark.stack


class NobodyReads:
    """Leaves the rows alone."""

    def lease(self, rows: int) -> dict[str, object]:
        return {"attempts": 0 * rows}

    def hand_over(self, rows: list[dict[str, object]]) -> None:
        """Nothing to do."""


@pytest.fixture
def server(tmp_path: Path) -> psutil.Process:
    started = EmbeddedMongo(tmp_path, log=tmp_path / "mongo.log")
    started.launch()
    started.wait_ready()
    process = psutil.Process(started.pids["mongo"])
    process.address = started.address
    yield process
    with contextlib.suppress(psutil.NoSuchProcess):
        process.resume()
    started.stop()


@pytest.fixture
async def desk(server: psutil.Process) -> AsyncIterator[tuple[Client, database.Collection]]:
    connection = database.connect(server.address)
    rows = connection["ingest"][INBOUND]
    spool = Spool(rows)
    blobs = Blobs(connection)
    acceptance = Acceptance(spool, blobs.put, SystemClock(), NobodyReads(), limit_s=0.5)
    door = Door(a_desk, acceptance.store)
    committing = asyncio.create_task(spool.run())
    _, port = await door.open("127.0.0.1", 0)
    client = await Client.connect(port)
    await client.play("S: 220\nC: EHLO client.example\nS: 250")
    yield client, rows
    await door.close(0.5)
    committing.cancel()
    connection.close()


MAIL = """
    C: MAIL FROM:<ann@example.com>
    S: 250
    C: RCPT TO:<support@desk.example>
    S: 250
    C: DATA
    S: 354
    C: Message-ID: <m1@example.com>\\r\\nSubject: x\\r\\n\\r\\nhello\\r\\n.
"""


async def test_doubt_is_a_passing_failure_and_the_retry_makes_no_second_row(
    desk: tuple[Client, database.Collection], server: psutil.Process
) -> None:
    client, rows = desk
    server.suspend()

    said = await client.play(MAIL + "S: 451 4.3.0")
    server.resume()
    await client.play(MAIL + "S: 250 2.0.0 queued as")

    assert said == "451 4.3.0 try again later"
    assert await rows.count_documents({}) == 1
