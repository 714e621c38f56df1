"""Proves that the ledger test can fail: breaks one promise in a copy of the tree and runs it there.

``make mutants`` (or ``python -m tests.faults.mutants [M1 …]``) prints a table; code 1 where one lives.
"""

import argparse
import ast
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[2]
COPIED = ("shared", "services", "deploy", "tests", "docs", "pyproject.toml")
OUTCOME = Path("build/faults.json")
POWER_LOSS = ("tests/peers/test_power_loss.py", "-k", "journal")
SEEDS = (1, 2, 3)
MAILS = "200"
FAULTS = "8"
SAID_CHARS = 300


@dataclass(frozen=True)
class Edit:
    """A piece of text that is in the named function exactly once, and what stands there instead.

    ``function`` is ``Class.method``, a function, or "" for the whole file.
    """

    file: str
    function: str
    before: str
    after: str


@dataclass(frozen=True)
class Mutant:
    """One promise broken. ``checks``: those of the ledger of which one must say so.

    Without any it is the test of power loss that must turn red. ``faults`` are those that the
    promise is about, so that a short run has enough of them.
    """

    name: str
    what: str
    checks: tuple[str, ...]
    edits: tuple[Edit, ...]
    faults: tuple[str, ...] = ("kill reports",)


class BrokenRunError(Exception):
    """The run itself failed, which proves nothing."""


NO_UNIQUE_MESSAGE = Edit(
    "services/tickets/mongo_store.py",
    "",
    '[("inbound_id", 1)], unique=True,',
    '[("inbound_id", 1)],',
)

MUTANTS = (
    Mutant(
        "M1",
        "250 before the insert",
        ("J1", "J3", "J15"),
        (
            Edit(
                "services/ingest/accept.py",
                "Acceptance.store",
                "new = await self._put_rows(rows, looked.raw)",
                "self.later, new = asyncio.ensure_future(self._put_rows(rows, looked.raw)), rows",
            ),
        ),
        ("power-cut mongo, ingest", "kill mongo"),
    ),
    Mutant(
        "M2",
        "w: 1, j: false",
        (),
        (
            Edit("shared/mongo/clients.py", "connect", 'w="majority"', "w=1"),
            Edit("shared/mongo/clients.py", "connect", "journal=True", "journal=False"),
        ),
    ),
    Mutant(
        "M3",
        "offsets committed before the handler has stored",
        ("J1", "J8", "J11", "J12"),
        (
            Edit(
                "shared/bus/bus.py",
                "Bus._read",
                "await self._readers[name].read(batch)\n                self._commits.done(batch)",
                "self._commits.done(batch)\n                await self._readers[name].read(batch)",
            ),
        ),
        ("strand tickets", "strand notify"),
    ),
    Mutant(
        "M4",
        "no unique key says that a mail was handled",
        ("J2",),
        (
            NO_UNIQUE_MESSAGE,
            Edit(
                "services/tickets/mongo_store.py",
                "MongoStore._guarded",
                '{"_id": name, "at": changes.at}',
                '{"name": name, "at": changes.at}',
            ),
        ),
        ("kill tickets",),
    ),
    Mutant(
        "M5",
        "outbox marked before it is published",
        ("J10",),
        (
            Edit(
                "shared/bus/outbox.py",
                "OutboxRelay._round",
                "published = await self._publish(rows)\n            await self._mark(published, {})",
                "await self._mark(rows, {})\n            published = await self._publish(rows)",
            ),
        ),
        ("kill kafka", "power-cut kafka, tickets"),
    ),
    Mutant(
        "M6",
        "another Message-ID when a mail is sent again",
        ("J8",),
        (
            Edit(
                "services/notify/sender.py",
                "Sender._try",
                "self._relay.send(row.envelope_from, row.recipient, raw)",
                "self._relay.send(row.envelope_from, row.recipient, "
                'raw.replace(b"Message-ID: <", b"Message-ID: <" + b"again." * row.failures))',
            ),
        ),
    ),
    Mutant(
        "M7",
        "a mail's id is chance, not its hash",
        ("J2",),
        (
            Edit(
                "services/ingest/identity.py",
                "inbound_id",
                "hashlib.sha256(key + found.digest).hexdigest()[:ID_CHARS]",
                '__import__("secrets").token_hex(ID_CHARS // 2)',
            ),
        ),
    ),
    Mutant(
        "M8",
        "a notice is taken without looking whether another process has it",
        ("J8",),
        (
            Edit(
                "services/notify/outgoing.py",
                "Ledger.write",
                'UpdateOne({"_id": row.id, **still}',
                'UpdateOne({"_id": row.id}',
            ),
        ),
        ("zombie notify", "kill reports"),
    ),
    Mutant(
        "M9",
        "a Message-ID alone makes two mails the same",
        ("J1", "J6"),
        (
            Edit(
                "services/ingest/identity.py",
                "inbound_id",
                "hashlib.sha256(key + found.digest)",
                "hashlib.sha256(key)",
            ),
        ),
    ),
    Mutant(
        "M10",
        "a dead letter for a dependency that is away",
        ("J13",),
        (
            Edit(
                "shared/bus/consuming.py",
                "TopicReader._attempt",
                'if kind == "permanent":',
                'if kind in {"permanent", "transient"}:',
            ),
        ),
        ("kill mongo",),
    ),
    Mutant(
        "M11",
        "our own failure is answered as the sender's",
        ("J4",),
        (
            Edit(
                "services/ingest/accept.py",
                "Acceptance.store",
                "except (NotStoredError, MongoError, TimeoutError) as error:",
                "except ZeroDivisionError as error:",
            ),
            Edit(
                "services/ingest/door.py",
                "Door.handle_exception",
                "return replies.NOT_NOW",
                "return replies.TOO_LARGE",
            ),
        ),
        ("kill mongo",),
    ),
    Mutant(
        "M12",
        "a group without offsets begins at the end",
        ("J1", "J8", "J12"),
        (
            Edit(
                "shared/bus/subscribing.py",
                "subscribed",
                'auto_offset_reset="earliest"',
                'auto_offset_reset="latest"',
            ),
        ),
    ),
)


def mutated(text: str, edit: Edit) -> str:
    """The file's text after the edit; raises LookupError where its place is not there once."""
    begin, end = _lines_of(text, edit.function)
    lines = text.splitlines(keepends=True)
    place = "".join(lines[begin:end])
    if place.count(edit.before) != 1:
        where = f"{edit.file}, {edit.function or 'whole file'}"
        raise LookupError(f"{where}: {edit.before!r} is {place.count(edit.before)} times there")
    changed = place.replace(edit.before, edit.after)
    return "".join([*lines[:begin], changed, *lines[end:]])


def mutate(root: Path, mutant: Mutant) -> None:
    """Change the files; raises LookupError where a place is gone, SyntaxError where it is no code."""
    for edit in mutant.edits:
        path = root / edit.file
        text = mutated(path.read_text(encoding="utf-8"), edit)
        compile(text, edit.file, "exec")
        path.write_text(text, encoding="utf-8")


def _lines_of(text: str, function: str) -> tuple[int, int]:
    """Indexes of the first line of a function and of the one after its last."""
    if not function:
        return 0, len(text.splitlines())
    place: ast.AST | None = ast.parse(text)
    for name in function.split("."):
        inner = ast.iter_child_nodes(place) if place else ()
        place = next((node for node in inner if getattr(node, "name", None) == name), None)
    if place is None:
        raise LookupError(f"there is no function {function}")
    return place.lineno - 1, place.end_lineno


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


def run(mutant: Mutant, seeds: Sequence[int] = SEEDS) -> tuple[bool, str]:
    """Whether one of its checks turned red with one of the seeds, and what it said.

    Raises BrokenRunError where no run came to a verdict.
    """
    broken: list[BrokenRunError] = []
    with copied_tree() as root:
        mutate(root, mutant)
        if not mutant.checks:
            return _power_loss(root)
        for seed in seeds:
            try:
                red = _ledger(root, seed, mutant.faults)
            except BrokenRunError as error:
                broken.append(error)
                continue
            for name in mutant.checks:
                if name in red:
                    return True, f"seed {seed}, {name}: {red[name]}"
    if len(broken) == len(seeds):
        raise broken[-1]
    return False, f"green with the seeds {', '.join(map(str, seeds))}"


def _ledger(root: Path, seed: int, faults: Sequence[str]) -> dict[str, str]:
    """What the checks say that found something, by name."""
    (root / OUTCOME).unlink(missing_ok=True)
    only = [word for fault in faults for word in ("--only", fault)]
    size = ["--mails", MAILS, "--faults", FAULTS]
    done = _python(root, "-m", "tests.faults", "--seed", str(seed), *size, *only)
    if not (root / OUTCOME).exists():
        raise BrokenRunError(f"seed {seed}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    checks = json.loads((root / OUTCOME).read_text(encoding="utf-8"))["checks"]
    return {name: check["detail"] for name, check in checks.items() if not check["ok"]}


def _power_loss(root: Path) -> tuple[bool, str]:
    done = _python(root, "-m", "pytest", "-q", "-x", *POWER_LOSS)
    said = [line[1:].strip() for line in done.stdout.splitlines() if line.startswith("E  ")]
    if done.returncode and not (said and said[0].startswith("AssertionError")):
        raise BrokenRunError(done.stdout[-2000:])
    return bool(done.returncode), " / ".join(said) or "green"


def _python(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )


def main(arguments: Sequence[str]) -> int:
    """Run the mutants named, or all; 0 where each was caught."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="M1, M2, …; all where none is named")
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    options = parser.parse_args(arguments)
    table = Table("mutant", "promise broken", "caught", "seconds", "what the test said", box=None)
    alive = 0
    for mutant in MUTANTS:
        if options.names and mutant.name not in options.names:
            continue
        begun = time.monotonic()
        try:
            is_caught, said = run(mutant, options.seeds)
            verdict = "yes" if is_caught else "NO"
        except BrokenRunError as error:
            is_caught, verdict, said = False, "BROKEN", str(error)
        alive += not is_caught
        row = (verdict, f"{time.monotonic() - begun:.0f}", said)
        print(f"{mutant.name}  {'  '.join(row)}", flush=True)
        table.add_row(mutant.name, mutant.what, *row[:2], said[:SAID_CHARS])
    Console(width=160).print(table)
    return int(alive > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
