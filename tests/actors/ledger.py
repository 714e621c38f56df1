"""A list that survives its writer: one JSON object a line, on disk before the next step."""

import json
import os
from pathlib import Path
from typing import Any, Self


class Ledger:
    """Appends rows; each is on disk when ``write`` returns."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")

    def write(self, **row: Any) -> None:
        """Append a row and wait for the disk."""
        self._file.write(json.dumps(row, ensure_ascii=False) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def rows(path: Path) -> list[dict[str, Any]]:
    """All rows of a ledger."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
