"""What a power cut would take: what is answered with 250 is on the disk, not only in its cache."""

import base64
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient

from deploy.local import ports
from deploy.local.providers.embedded_mongo import EmbeddedMongo
from tests.actors.mails import Mail, Writer
from tests.actors.smtp_client import Connection, NoReplyError, Reply
from tests.actors.source import Source
from tests.peers.strace import Call, calls, traced
from tests.service_process import ServiceProcess

pytestmark = [pytest.mark.peers, pytest.mark.timeout(180)]

MAILS = 20
CONFIG = """
name: Example
host: desk.example
mailboxes: [{address: support@desk.example, brand: Example, team: support}]
teams: [{name: support, members: [ana@x.example]}]
agents: [{address: ana@x.example, name: Ana}]
"""


@pytest.fixture
def mongod(tmp_path: Path) -> Iterator[EmbeddedMongo]:
    server = EmbeddedMongo(tmp_path / "mongo", log=tmp_path / "mongo.log")
    server.launch()
    server.wait_ready()
    yield server
    server.stop()


class Ingest(ServiceProcess):
    """The service with its SMTP port; there is no Kafka, which mail does not need to be taken."""

    def __init__(self, folder: Path, mongo: str) -> None:
        self.port = ports.free_port()
        (folder / "desk.yaml").write_text(CONFIG)
        keys = {"current": 1, "keys": {"1": base64.b64encode(b"k" * 32).decode()}}
        (folder / "keys.json").write_text(json.dumps(keys))
        settings = {
            "kafka": f"127.0.0.1:{ports.free_port()}",
            "mongo": mongo,
            "smtp": f"127.0.0.1:{self.port}",
            "config": str(folder / "desk.yaml"),
            "keys": str(folder / "keys.json"),
        }
        super().__init__("ingest", folder, settings)

    async def deliver(self, mail: Mail) -> Reply:
        """The reply to one try; a lost connection is a passing failure (RFC 5321, 4.5.4.1)."""
        try:
            connection = await Connection.open("127.0.0.1", self.port)
            reply = await connection.deliver(mail.sender, mail.recipients, mail.raw)
        except NoReplyError as error:
            return Reply(451, str(error))
        connection.close()
        return reply


@pytest.fixture
def ingest(mongod: EmbeddedMongo, tmp_path: Path) -> Iterator[Ingest]:
    process = Ingest(tmp_path, mongod.address)
    process.start()
    yield process
    process.stop()


def some_mails(count: int) -> list[Mail]:
    write = Writer(random.Random(1), run="power")
    return [write.plain(f"ann{n}@example.com", ["support@desk.example"]) for n in range(count)]


async def test_the_journal_is_on_the_disk_between_the_insert_and_the_250(
    ingest: Ingest, mongod: EmbeddedMongo, tmp_path: Path
) -> None:
    """One after the other: MongoDB also syncs ten times a second by itself, which proves nothing."""
    mails = some_mails(MAILS)
    trace = tmp_path / "trace"
    watched = "trace=write,writev,sendto,sendmsg,pwrite64,fsync,fdatasync"

    with traced([ingest.pid, mongod.pids["mongo"]], [watched], trace):
        replies = [await ingest.deliver(mail) for mail in mails]

    assert [reply.code for reply in replies] == [250] * MAILS
    seen = calls(trace.read_text(errors="replace"))
    early = [mail.id for mail in mails if not is_synced_first(seen, mail)]
    assert not early, (
        f"{len(early)} of {MAILS} mails had their 250 before MongoDB's journal was synced"
    )


def is_synced_first(seen: list[Call], mail: Mail) -> bool:
    """Whether the journal was written and synced after the insert was sent and before the 250."""
    to_sockets = [call for call in seen if "<TCP" in call.text]
    sent = next(c for c in to_sockets if mail.id in c.text and "inbound" in c.text)
    promised = next(c for c in to_sockets if c.begun > sent.begun and '"250 2.0.0 queued' in c.text)
    journal = [c for c in seen if "/journal/" in c.text and sent.begun < c.begun < promised.begun]
    written = next((c for c in journal if c.name == "pwrite64"), None)
    return written is not None and any(
        c.name in {"fdatasync", "fsync"}
        and c.result.startswith("0")
        and c.begun > written.begun
        and c.ended < promised.begun
        for c in journal
    )


async def test_while_the_disk_fails_nobody_hears_250_and_afterwards_each_mail_is_there_once(
    ingest: Ingest, mongod: EmbeddedMongo, tmp_path: Path
) -> None:
    before, during = some_mails(10)[:5], some_mails(10)[5:]
    failing = ["trace=fsync,fdatasync", "inject=fsync,fdatasync:error=EIO"]
    accepted = [await ingest.deliver(mail) for mail in before]

    with traced([mongod.pids["mongo"]], failing, tmp_path / "trace"):
        refused = [await ingest.deliver(mail) for mail in during]
    mongod.kill()
    mongod.launch()
    mongod.wait_ready()
    source = Source(f"127.0.0.1:{ingest.port}")
    again = [await source.deliver(mail) for mail in [*before, *during]]
    source.close()

    assert {reply.code for reply in [*accepted, *again]} == {250}
    assert {reply.code for reply in refused} == {451}
    assert "EIO" in (tmp_path / "trace").read_text()
    ids = {reply.text.rpartition(" ")[2] for reply in again}
    assert {reply.text.rpartition(" ")[2] for reply in accepted} <= ids
    with MongoClient(mongod.address) as client:
        assert {row["_id"] for row in client["postdesk_ingest"]["inbound"].find({}, {})} == ids
