"""ingest as a process, with nothing but a real MongoDB: its door, and what it has stored."""

import base64
import json
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from deploy.local import health
from deploy.local.ports import free_port
from deploy.local.providers.embedded_mongo import EmbeddedMongo
from tests.service_process import ServiceProcess

CONFIG = """
name: Example
host: desk.example
mailboxes:
  - {address: support@desk.example, brand: Example, team: support}
  - {address: billing@desk.example, brand: Example, team: support}
teams: [{name: support, members: [ana@x.example]}]
agents: [{address: ana@x.example, name: Ana}]
door: {lmtp: "127.0.0.1:%d"}
"""


class Ingest(ServiceProcess):
    """The service, and what it answers to MAIL."""

    def __init__(self, folder: Path, state_dir: Path, mongo: str, *, more: str = "") -> None:
        config, keys = folder / "desk.yaml", folder / "keys.json"
        self.lmtp_port = free_port()
        config.write_text(CONFIG % self.lmtp_port + more)
        self._mongo = mongo
        keys.write_text(
            json.dumps({"current": 1, "keys": {"1": base64.b64encode(b"k" * 32).decode()}})
        )
        self.port = free_port()
        nobody = f"127.0.0.1:{free_port()}"  # Kafka is not needed to take mail
        settings = {"kafka": nobody, "mongo": mongo, "config": str(config), "keys": str(keys)}
        own = {"smtp": f"127.0.0.1:{self.port}", "state_dir": str(state_dir)}
        super().__init__("ingest", folder, settings | own)

    def answer_to_mail(self) -> str:
        with smtplib.SMTP("127.0.0.1", self.port, timeout=30) as session:
            session.ehlo()
            code, text = session.mail("ann@example.com")
            return f"{code} {text.decode()}"

    def send(self) -> None:
        with smtplib.SMTP("127.0.0.1", self.port, timeout=30) as session:
            mail = "Message-ID: <m@x.example>\r\nSubject: x\r\n\r\nhello\r\n"
            session.sendmail("ann@example.com", "support@desk.example", mail)

    def has_looked(self) -> bool:
        """Whether a folder was looked at by IMAP."""
        with MongoClient[dict[str, Any]](self._mongo) as client:
            return client.postdesk_ingest.imap_places.find_one() is not None

    def report(self) -> str:
        """What it says of itself; empty where it does not answer."""
        return health.ask(self.health, "/readyz")[1]

    def stored(self) -> list[dict[str, Any]]:
        """All rows of ``inbound``, the oldest first."""
        with MongoClient[dict[str, Any]](self._mongo) as client:
            return list(client.postdesk_ingest.inbound.find().sort("received_at"))


@contextmanager
def a_mongod(folder: Path) -> Iterator[EmbeddedMongo]:
    """A MongoDB whose data is in the folder."""
    folder.mkdir(exist_ok=True)
    server = EmbeddedMongo(folder, log=folder.parent / "mongo.log")
    server.launch()
    try:
        server.wait_ready()
        yield server
    finally:
        server.stop()
