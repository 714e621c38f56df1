"""Small disks for the data of Kafka and MongoDB, which can be filled."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SIZE_MIB = 1500
FILLER = "filler"


def missing() -> list[str]:
    """Why disks cannot be played with here, empty where they can."""
    reasons = []
    if os.geteuid() != 0:
        reasons.append("mounting a small disk needs root")
    if not shutil.which("strace"):
        reasons.append("strace is not installed")
    return reasons


@contextmanager
def small_disks(*folders: Path) -> Iterator[None]:
    """Mount a tmpfs on each folder; it is gone afterwards, with all that is on it."""
    mounted = []
    try:
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            what = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "tmpfs", str(folder)]
            subprocess.run(what, check=True)
            mounted.append(folder)
        yield
    finally:
        for folder in mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=False)


def fill(folder: Path) -> None:
    """Leave no room on the disk of the folder."""
    with (folder / FILLER).open("ab") as file, suppress(OSError):
        room = os.statvfs(folder)
        os.posix_fallocate(file.fileno(), 0, max(1, room.f_bavail * room.f_frsize))


def empty(folder: Path) -> None:
    """Give the room back."""
    (folder / FILLER).unlink(missing_ok=True)
