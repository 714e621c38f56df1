"""A real MongoDB on a small disk, and a small disk for ingest's own files: 452, then 250 again."""

import base64
import json
import os
import smtplib
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.ports import free_port
from deploy.local.providers.embedded_mongo import EmbeddedMongo
from tests.service_process import ServiceProcess

pytestmark = [pytest.mark.peers, pytest.mark.timeout(180)]

MIB = 1024 * 1024
CONFIG = """
name: Example
host: desk.example
mailboxes: [{address: support@desk.example, brand: Example, team: support}]
teams: [{name: support, members: [ana@x.example]}]
agents: [{address: ana@x.example, name: Ana}]
"""


@contextmanager
def a_disk(folder: Path, size_mib: int) -> Iterator[Path]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mib}m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def fill(disk: Path, leaving_bytes: int) -> Path:
    """A file that leaves so much free."""
    file = disk / "something-else"
    room = os.statvfs(disk)
    with file.open("wb") as opened:
        os.posix_fallocate(opened.fileno(), 0, room.f_bavail * room.f_frsize - leaving_bytes)
    return file


class Ingest(ServiceProcess):
    """The service, and what it answers to MAIL."""

    def __init__(self, folder: Path, state_dir: Path, mongo: str) -> None:
        config, keys = folder / "desk.yaml", folder / "keys.json"
        config.write_text(CONFIG)
        keys.write_text(
            json.dumps({"current": 1, "keys": {"1": base64.b64encode(b"k" * 32).decode()}})
        )
        self.port = free_port()
        nobody = f"127.0.0.1:{free_port()}"  # Kafka is not needed to take mail
        settings = {"kafka": nobody, "mongo": mongo, "config": str(config), "keys": str(keys)}
        more = {"smtp": f"127.0.0.1:{self.port}", "state_dir": str(state_dir)}
        super().__init__("ingest", folder, settings | more)

    def answer_to_mail(self) -> str:
        with smtplib.SMTP("127.0.0.1", self.port, timeout=30) as session:
            session.ehlo()
            code, text = session.mail("ann@example.com")
            return f"{code} {text.decode()}"

    def send(self) -> None:
        with smtplib.SMTP("127.0.0.1", self.port, timeout=30) as session:
            mail = "Message-ID: <m@x.example>\r\nSubject: x\r\n\r\nhello\r\n"
            session.sendmail("ann@example.com", "support@desk.example", mail)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def refused_then_taken(ingest: Ingest, disk: Path) -> None:
    ingest.start()
    try:
        ingest.send()
        filler = fill(disk, 100 * MIB)
        until(lambda: ingest.answer_to_mail().startswith("452 4.3.1 not enough room"))
        assert ingest.is_ready()

        filler.unlink()
        until(lambda: ingest.answer_to_mail().startswith("250"))
        ingest.send()
        ingest.stop()
    finally:
        ingest.kill()


@contextmanager
def a_mongod(folder: Path) -> Iterator[str]:
    folder.mkdir(exist_ok=True)
    server = EmbeddedMongo(folder, log=folder.parent / "mongo.log")
    server.launch()
    try:
        server.wait_ready()
        yield server.address
    finally:
        server.stop()


def test_mail_waits_while_mongodbs_disk_is_full(tmp_path: Path) -> None:
    with a_disk(tmp_path / "small", 800) as disk, a_mongod(disk) as mongo:
        refused_then_taken(Ingest(tmp_path, tmp_path / "state", mongo), disk)


def test_mail_waits_while_the_disk_of_large_mails_on_their_way_is_full(tmp_path: Path) -> None:
    with a_disk(tmp_path / "small", 400) as disk, a_mongod(tmp_path / "mongo") as mongo:
        refused_then_taken(Ingest(tmp_path, disk, mongo), disk)
