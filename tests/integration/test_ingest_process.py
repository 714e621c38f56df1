"""ingest as a process on real Kafka and MongoDB: from SMTP to the record."""

import base64
import json
import os
import signal
import smtplib
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from aiokafka import AIOKafkaConsumer

from deploy.local.topics import create_topics
from shared import mongo as database
from shared.addresses import AddressBook, AddressKeys
from shared.blobs import Blobs
from shared.bus import decode
from shared.contracts import topics
from shared.contracts.mail import MailReceived
from tests.service_process import ServiceProcess

pytestmark = pytest.mark.stack

KEY = b"k" * 32
BOOK = AddressBook(AddressKeys(current=1, keys={1: KEY}), "desk.example")
CONFIG = """
name: Example
host: desk.example
mailboxes: [{address: support@desk.example, brand: Example, team: support}]
teams: [{name: support, members: [ana@x.example]}]
agents: [{address: ana@x.example, name: Ana}]
door: {trusted_authserv: [mx.desk.example]}
authentication: {resolver: none}
"""


class Announced:
    """Records of ``mail-received`` as they come, by inbound id."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self.records: dict[str, list[tuple[str, MailReceived]]] = {}

    async def of(self, inbound_id: str, *, seconds: float = 60.0) -> tuple[str, MailReceived]:
        """The key and the record; waits for it."""
        deadline = time.monotonic() + seconds
        while inbound_id not in self.records:
            assert time.monotonic() < deadline, f"{inbound_id} is not announced"
            for batch in (await self._consumer.getmany(timeout_ms=100)).values():
                for raw in batch:
                    received = decode(topics.MAIL_RECEIVED, raw)
                    found = self.records.setdefault(received.meta.id, [])
                    found.append((received.key, received.record))
        return self.records[inbound_id][0]


@pytest.fixture
async def announced(kafka: str) -> AsyncIterator[Announced]:
    await create_topics(kafka)
    consumer = AIOKafkaConsumer(
        topics.MAIL_RECEIVED.name, bootstrap_servers=kafka, auto_offset_reset="earliest"
    )
    await consumer.start()
    yield Announced(consumer)
    await consumer.stop()


class Ingest(ServiceProcess):
    """The service and its SMTP port."""

    port = 0

    def send(self, raw: bytes, *recipients: str, sender: str = "ann@example.com") -> str:
        """Deliver; gives the inbound id of the 250."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=30) as session:
            session.ehlo()
            session.mail(sender)
            for recipient in recipients or ("support@desk.example",):
                assert session.rcpt(recipient)[0] == 250
            code, text = session.data(raw)
        assert code == 250, text
        return text.decode().rpartition(" ")[2]


@pytest.fixture
def ingest(kafka: str, mongo: str, tmp_path: Path) -> Iterator[Ingest]:
    (tmp_path / "desk.yaml").write_text(CONFIG)
    keys = {"current": 1, "keys": {"1": base64.b64encode(KEY).decode()}}
    (tmp_path / "keys.json").write_text(json.dumps(keys))
    files = {"config": str(tmp_path / "desk.yaml"), "keys": str(tmp_path / "keys.json")}
    settings = {"kafka": kafka, "mongo": mongo, "smtp": "127.0.0.1:0", "instance": uuid4().hex[:8]}
    process = Ingest("ingest", tmp_path, {**settings, **files})
    process.start()
    process.port = smtp_port_of(process.pid)
    yield process
    process.stop()


def smtp_port_of(pid: int) -> int:
    """The port on which a connection is greeted as by a mail server."""
    ports = {
        c.laddr.port
        for c in psutil.Process(pid).net_connections()
        if c.status == psutil.CONN_LISTEN
    }
    for port in ports:
        try:
            with smtplib.SMTP("127.0.0.1", port, timeout=2):
                return port
        except (smtplib.SMTPException, OSError):
            continue
    raise AssertionError(f"none of {ports} speaks SMTP")


def a_mail(subject: str, body: bytes = b"hello\r\n", *fields: bytes) -> bytes:
    head = [b"From: Ann Bee <ann@example.com>", b"To: support@desk.example"]
    head += [
        b"Subject: " + subject.encode(),
        b"Message-ID: <%s@example.com>" % uuid4().hex.encode(),
    ]
    return b"\r\n".join([*head, *fields]) + b"\r\n\r\n" + body


HTML_AND_FILE = (
    b"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Hello <b>you</b></p>\r\n"
    b"--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n"
    b"Content-Disposition: attachment; filename=a.pdf\r\n\r\nJVBERi0=\r\n--b--\r\n"
)


async def test_a_mail_becomes_a_record_with_its_contents_as_blobs(
    ingest: Ingest, announced: Announced, mongo: str
) -> None:
    mixed = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b"
    trust = b"Authentication-Results: mx.desk.example; dmarc=pass header.from=example.com"

    inbound_id = ingest.send(a_mail("No internet", HTML_AND_FILE, mixed, trust))

    key, mail = await announced.of(inbound_id)
    assert key == "ann@example.com"
    assert (mail.subject, mail.from_name, mail.text) == ("No internet", "Ann Bee", "Hello you")
    assert (mail.authentication.dmarc, mail.authentication.domain) == ("pass", "example.com")
    client = database.connect(mongo)
    (file,) = mail.attachments
    assert (file.name, await Blobs(client).get(file.blob)) == ("a.pdf", b"%PDF-")
    assert b"Hello" in await Blobs(client).get(mail.html_blob or "")
    client.close()


async def test_a_signed_address_finds_its_ticket(ingest: Ingest, announced: Announced) -> None:
    to = BOOK.address("support@desk.example", "reply", ticket_id="T-42", party="ann@example.com")

    inbound_id = ingest.send(a_mail("Re: No internet"), "support@desk.example", to.upper())

    key, mail = await announced.of(inbound_id)
    assert key == "T-42"
    assert mail.token is not None
    assert (mail.token.state, mail.token.ticket_id) == ("valid", "T-42")


async def test_a_large_mail_comes_through_whole(
    ingest: Ingest, announced: Announced, mongo: str
) -> None:
    raw = a_mail("large", b"0123456789 abcdef\r\n" * 750_000)

    _, mail = await announced.of(ingest.send(raw))

    client = database.connect(mongo)
    assert mail.size_bytes == len(raw)
    assert await Blobs(client).get(mail.raw_blob or "") == raw
    client.close()


async def test_a_bomb_is_announced_unreadable_with_the_original(
    ingest: Ingest, announced: Announced, mongo: str
) -> None:
    raw = a_mail("bomb", b"x\r\n", *[b"X-%d: y" % n for n in range(3_000)])

    inbound_id = ingest.send(raw)

    _, mail = await announced.of(inbound_id)
    assert (mail.subject, mail.from_addr) == ("bomb", "ann@example.com")
    assert mail.unreadable
    client = database.connect(mongo)
    assert await Blobs(client).get(mail.raw_blob or "") == raw
    rows = database.database(client, "ingest")["inbound"]
    deadline = time.monotonic() + 30
    while not await rows.find_one({"_id": inbound_id, "state": "quarantined"}):
        assert time.monotonic() < deadline
    client.close()


async def test_mails_whose_reader_is_killed_are_announced_after_the_restart(
    ingest: Ingest, announced: Announced
) -> None:
    children = psutil.Process(ingest.pid).children()
    for child in children:
        os.kill(child.pid, signal.SIGSTOP)
    ids = [ingest.send(a_mail(f"mail {n}")) for n in range(20)]

    ingest.kill()
    for child in children:
        child.kill()
    ingest.start()
    ingest.port = smtp_port_of(ingest.pid)

    for inbound_id in ids:
        await announced.of(inbound_id)
    assert set(ids) <= set(announced.records)


async def test_the_log_knows_neither_words_nor_addresses(
    ingest: Ingest, announced: Announced
) -> None:
    to = BOOK.address("support@desk.example", "reply", ticket_id="T-42", party="canary@example.com")

    await announced.of(ingest.send(a_mail("canary-subject", b"canary-body\r\n"), to))

    log = ingest._log.read_text()
    assert "door open" in log
    assert not [word for word in ("canary", to, "ann@example.com") if word in log]
