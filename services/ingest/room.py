"""Whether the disks have room for more mail: looked at in the background, never for each mail."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from services.ingest import measures
from shared.config.door import Door as Limits
from shared.health import Check, Health
from shared.mongo import Database, MongoError

LARGEST_MAILS = 1.5  # that must have room before the next is taken, as in Postfix
MIB = 1024 * 1024

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Disk:
    """A disk that mail is written to; ``free_bytes`` gives None where it cannot be said."""

    name: str
    free_bytes: Callable[[], Awaitable[int | None]]


def disk_of_mongo(database: Database) -> Disk:
    """MongoDB's disk, as it sees it itself: it may be on another machine."""

    async def free_bytes() -> int | None:
        stats = await database.command("dbStats")
        if not stats.get("fsTotalSize"):
            return None
        return int(stats["fsTotalSize"]) - int(stats["fsUsedSize"])

    return Disk("mongo", free_bytes)


def disk_of(folder: Path) -> Disk:
    """The disk of the folder where large mails are kept while they come in."""

    async def free_bytes() -> int:
        return (await asyncio.to_thread(shutil.disk_usage, folder)).free

    return Disk("incoming", free_bytes)


class Room:
    """What is free, as last seen, less what has been taken since.

    A disk that has never told its free room refuses nothing: storing answers for itself.
    """

    def __init__(
        self,
        limits: Callable[[], Limits],
        disks: Sequence[Disk] = (),
        health: Health | None = None,
    ) -> None:
        self._limits = limits
        self._disks = disks
        self._health = health
        self._free: dict[str, int] = {}
        self._taken_bytes = 0
        self._was_low = False

    @property
    def low_water_bytes(self) -> int:
        """What must stay free."""
        limits = self._limits()
        return max(int(LARGEST_MAILS * limits.max_bytes), limits.min_free_bytes)

    def fits(self, more_bytes: int) -> bool:
        """Say whether so much more may be written and enough stays free."""
        needed = self.low_water_bytes + self._taken_bytes + more_bytes
        return all(free >= needed for free in self._free.values())

    def took(self, size_bytes: int) -> None:
        """Count a mail that is being stored, until the next look shows what it took."""
        self._taken_bytes += size_bytes

    async def look(self) -> None:
        """Ask each disk; one that does not answer is believed to be as it was."""
        taken_before = self._taken_bytes
        for disk in self._disks:
            try:
                free = await disk.free_bytes()
            except (MongoError, OSError):
                continue
            if free is not None:
                self._free[disk.name] = free
                measures.FREE.labels(disk.name).set(free)
        self._taken_bytes -= taken_before
        self._tell()

    def _tell(self) -> None:
        is_low = not self.fits(0)
        least = self.low_water_bytes // MIB
        seen = ", ".join(f"{name}: {free // MIB} MiB" for name, free in self._free.items())
        detail = f"free on {seen or 'unknown disks'}; below {least} MiB mail is answered 452"
        if self._health is not None:
            # Not needed: with too little room the door must still say so to senders.
            self._health.set("disk", Check(is_ok=not is_low, detail=detail, needed=False))
        if is_low != self._was_low:
            self._was_low = is_low
            (_log.warning if is_low else _log.info)(
                "too little room, mail is refused for now" if is_low else "room again",
                free_bytes=self._free,
            )
