"""Proves that the ledger test can fail: breaks one promise in a copy of the tree and runs it there.

``python -m tests.faults.mutants [NAME …]`` prints a table; code 1 where a mutant lives.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[2]
COPIED = ("shared", "services", "deploy", "tests", "docs", "pyproject.toml")
TEST = "tests/faults/test_ledger.py"
SEEDS = ("1", "2", "3")


@dataclass(frozen=True)
class Mutant:
    """One promise, and the exact text whose change breaks it; the text must be there once."""

    name: str
    file: str
    before: str
    after: str


MUTANTS = (
    Mutant(
        "250 before the insert",
        "services/ingest/accept.py",
        "                new = await self._put_rows(rows, looked.raw)\n",
        "                self.later = asyncio.ensure_future(self._put_rows(rows, looked.raw))\n"
        "                new = rows\n",
    ),
    Mutant(
        "no dedup key",
        "services/ingest/identity.py",
        "    return hashlib.sha256(key + found.digest).hexdigest()[:ID_CHARS]\n",
        "    import secrets\n\n    return secrets.token_hex(ID_CHARS // 2)\n",
    ),
    Mutant(
        "outbox marked before publishing",
        "shared/bus/outbox.py",
        "            published = await self._publish(rows)\n"
        "            await self._mark(published, {})\n",
        "            await self._mark(rows, {})\n"
        "            published = await self._publish(rows)\n",
    ),
)


def mutate(root: Path, mutant: Mutant) -> None:
    """Change the text; raises LookupError where it is not there exactly once."""
    path = root / mutant.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.before) != 1:
        found = text.count(mutant.before)
        raise LookupError(f"{mutant.name}: its place is {found} times in {mutant.file}")
    path.write_text(text.replace(mutant.before, mutant.after), encoding="utf-8")


@contextmanager
def copied_tree() -> Iterator[Path]:
    """A copy of everything that a run needs."""
    with tempfile.TemporaryDirectory(prefix="mutant-", ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, root / name)
        yield root


def run(mutant: Mutant) -> tuple[bool, str]:
    """Whether the test turned red within three seeds, and what it said first."""
    with copied_tree() as root:
        mutate(root, mutant)
        for seed in SEEDS:
            done = subprocess.run(
                [sys.executable, "-m", "pytest", "-q", "-x", TEST],
                cwd=root,
                env={**os.environ, "PYTHONPATH": str(root), "LEDGER_SEED": seed},
                capture_output=True,
                text=True,
                check=False,
            )
            verdict = re.search(
                r"^E +AssertionError: (\d+ problems.*\n(?:E .*\n){0,2})", done.stdout, re.MULTILINE
            )
            if done.returncode and verdict:
                return True, " / ".join(re.findall(r"E +(.+)", verdict[0]))
            if done.returncode:
                raise RuntimeError(f"{mutant.name}: the run itself failed\n{done.stdout[-3000:]}")
        return False, "green with every seed"


def main(names: list[str]) -> int:
    """Run the mutants named, or all."""
    table = Table("mutant", "caught", "seconds", "what the test said", box=None)
    alive = False
    for mutant in MUTANTS:
        if names and mutant.name not in names:
            continue
        begun = time.monotonic()
        caught, said = run(mutant)
        alive |= not caught
        table.add_row(
            mutant.name, "yes" if caught else "NO", f"{time.monotonic() - begun:.0f}", said
        )
    Console(width=160).print(table)
    return int(alive)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
