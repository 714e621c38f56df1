"""A real MongoDB on a small disk, and a small disk for ingest's own files: 452, then 250 again."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.peers.ingest import Ingest, a_mongod

pytestmark = [pytest.mark.peers, pytest.mark.timeout(180)]

MIB = 1024 * 1024


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


def test_mail_waits_while_mongodbs_disk_is_full(tmp_path: Path) -> None:
    with a_disk(tmp_path / "small", 800) as disk, a_mongod(disk) as server:
        refused_then_taken(Ingest(tmp_path, tmp_path / "state", server.address), disk)


def test_mail_waits_while_the_disk_of_large_mails_on_their_way_is_full(tmp_path: Path) -> None:
    with a_disk(tmp_path / "small", 400) as disk, a_mongod(tmp_path / "mongo") as server:
        refused_then_taken(Ingest(tmp_path, disk, server.address), disk)
