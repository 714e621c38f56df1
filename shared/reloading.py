"""The desk's file while a service runs: another valid one is told of, a wrong one is refused."""

import asyncio
from pathlib import Path

import structlog

from shared.config.loading import ConfigurationError, LoadedDesk, load_desk
from shared.health import Check, Health

LOOK_S = 1.0
CHECK = "configuration"

Stamp = tuple[int, int, int] | None
"""Time of the last change, size and inode; None where the file is missing."""

_log = structlog.get_logger(__name__)


class DeskFile:
    """Remembers how the file was when it was read last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: Stamp = None

    def load(self) -> LoadedDesk:
        """Read and check it; raises `ConfigurationError`."""
        self._read = self._stamp()
        return load_desk(self._path)

    async def another(
        self, current: LoadedDesk, health: Health, *, look_s: float = LOOK_S
    ) -> LoadedDesk:
        """Return when the file holds another valid configuration than the current one.

        It is read when two looks see the same change, so that it is written to its end. One that
        is wrong is logged with line and reason, and shown in health, until it is put right.
        """
        seen = self._read
        while True:
            await asyncio.sleep(look_s)
            before, seen = seen, self._stamp()
            if seen == self._read or seen != before:
                continue
            try:
                found = await asyncio.to_thread(self.load)
            except ConfigurationError as error:
                refuse(str(error), health)
                continue
            health.set(CHECK, Check(is_ok=True, needed=False))
            if found.digest != current.digest:
                return found

    def _stamp(self) -> Stamp:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def refuse(reason: str, health: Health) -> None:
    """Say that the file is not followed; the service goes on with what it has."""
    _log.error("configuration refused", problems=reason.splitlines())
    health.set(CHECK, Check(is_ok=False, detail=f"not followed: {reason}", needed=False))
