"""The end-to-end rate of a desk with very many tickets beside that of one with few, in one run.

Two desks run at the same time and are flooded in turn, so that both have the same machine.
"""

import shutil
import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from rich import print as say

from tests import queries
from tests.actors.desk import RunningDesk
from tests.bench import cases, copies
from tests.bench.end_to_end import Rounds, play_round
from tests.bench.load import Mix
from tests.bench.rows import Row, at_least, at_most, plain

FEW = 1_000
TICKETS = 1_000_000
CASES = 10
ROUNDS = 3
GOAL = 0.9
LOOKED_AT = 1_000
"""Documents that one query may look at; a batch needs some hundreds."""
BYTES_A_TICKET = 40_000
"""On disk, with room to spare for the journal."""
KIB = 1024


@dataclass
class _Desk:
    desk: RunningDesk
    tickets: int
    done: Rounds = field(default_factory=Rounds)


def run(
    folder: Path, *, tickets: int = TICKETS, rounds: int = ROUNDS, mix: Mix | None = None
) -> Iterator[Row]:
    """Fill both desks, flood them in turn; raises OSError where the disk has too little room."""
    free = shutil.disk_usage(folder).free
    if free < tickets * BYTES_A_TICKET:
        raise OSError(f"{folder}: {tickets} tickets need {tickets * BYTES_A_TICKET} free bytes")
    with ExitStack() as opened:
        few, many = (_opened(opened, folder, count) for count in (FEW, tickets))
        yield from _sizes(many)
        for number in range(rounds):
            # In turn: whatever the machine has left over from one falls to the other.
            for one in (few, many) if number % 2 == 0 else (many, few):
                play_round(one.desk, mix or Mix(), number, one.done)
        yield from _figures(few, many)


def _opened(opened: ExitStack, folder: Path, tickets: int) -> _Desk:
    own = folder / str(tickets)
    own.mkdir()
    desk = opened.enter_context(RunningDesk(own, say=lambda _: None))
    mongo = desk.facts.mongo
    played = cases.play(desk, CASES)
    say(f"a desk with {tickets:,} tickets is being filled")
    copies.fill(mongo, copies.patterns(mongo, played), tickets - CASES)
    with MongoClient[dict[str, Any]](mongo) as client:
        queries.watch(client, queries.more_than(LOOKED_AT))
    return _Desk(desk, tickets)


def _sizes(many: _Desk) -> Iterator[Row]:
    with MongoClient[dict[str, Any]](many.desk.facts.mongo) as client:
        stored = client["postdesk_tickets"]["messages"].estimated_document_count()
        yield plain("messages stored", stored, "")
        for name in queries.DATABASES:
            size = client[name].command("dbStats")
            for what in ("dataSize", "storageSize", "indexSize"):
                yield plain(f"{name}, {what} per ticket", size[what] / KIB / many.tickets, "KiB")


def _figures(few: _Desk, many: _Desk) -> Iterator[Row]:
    name = f"end to end with {many.tickets:,} tickets"
    rate, against = (statistics.median(one.done.rates) for one in (many, few))
    yield at_least(name, rate, "mails/s", what=f"with {FEW:,}", against=against, goal=GOAL)
    for part in sorted(many.done.cpu):
        ours, theirs = (1000 * one.done.cpu[part] / one.done.mails for one in (many, few))
        compared = f"with {FEW:,}: {theirs:.2f}"
        yield Row(f"CPU per mail, {part}", round(ours, 2), "ms", compared, round(ours / theirs, 2))
    with MongoClient[dict[str, Any]](many.desk.facts.mongo) as client:
        noted = queries.noted(client)
    for query in noted:
        say(f"[red]looked at over {LOOKED_AT} documents:[/] {query}")
    yield at_most(f"queries that looked at over {LOOKED_AT:,} documents", len(noted), "", goal=0)
