"""Keeps a mail while it comes in: in memory when small, in an unnamed file when not."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

SPILL_BYTES = 256 * 1024
ROOMY_SPILL_BYTES = 2 * 1024 * 1024  # the file costs a mail of 1 MB a fifth of its time


class Body:
    """The bytes of one mail; close it in any case. ``is_roomy`` is asked while it grows."""

    def __init__(
        self, folder: Path | None = None, *, is_roomy: Callable[[], bool] = lambda: False
    ) -> None:
        self._folder = folder
        self._is_roomy = is_roomy
        self._chunks: list[bytes] = []
        self._file: IO[Any] | None = None
        self.size = 0

    def write(self, chunk: bytes) -> None:
        """Append; raises OSError where the disk is full."""
        self.size += len(chunk)
        if self._file is not None:
            self._file.write(chunk)
            return
        self._chunks.append(chunk)
        if self.size > ROOMY_SPILL_BYTES or (self.size > SPILL_BYTES and not self._is_roomy()):
            # Without a name there is nothing to clean up after a crash.
            self._file = tempfile.TemporaryFile(buffering=0, dir=self._folder)  # noqa: SIM115
            for held in self._chunks:
                self._file.write(held)
            self._chunks.clear()

    def read(self) -> bytes:
        """Give all of it."""
        if self._file is None:
            return b"".join(self._chunks)
        self._file.seek(0)
        whole: bytes = self._file.read()
        return whole

    def close(self) -> None:
        """Forget all of it."""
        self._chunks.clear()
        if self._file is not None:
            self._file.close()
