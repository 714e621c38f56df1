"""Runs 1, 2 and 4 processes of ingest and tickets over 12 partitions; says what is wrong and a mail costs.

Each door has as many sessions as the one door of the first stack. The cores are the same for all, so
each process gets a part of the mails alone, and its batches are smaller.

A machine whose neighbours slow it down for minutes makes the same work cost half as much again. So
stacks take turns, there and back, and of each number of processes the flood counts that cost least.
"""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from tests.actors.books import Evidence
from tests.actors.desk import RunningDesk, Wiring
from tests.actors.evidence import (
    dead_letters,
    inbound_rows,
    published_ids,
    report_books,
    stored_events,
    ticket_states,
)
from tests.actors.judge import problems
from tests.actors.mails import Mail
from tests.actors.smtp_client import Reply
from tests.actors.source import Attempt, Source
from tests.bench.cases import QUIET_S
from tests.bench.end_to_end import settle
from tests.bench.load import Flood, Mix, first_mails
from tests.bench.processes import cpu_seconds
from tests.bench.rows import Row, at_most, plain
from tests.faults.quiet import wait_until_quiet

PROCESSES = (1, 2, 4)
ORDER = (*PROCESSES, *reversed(PROCESSES))
FLOODS = 2
"""On each stack, after one to warm up."""
SESSIONS = 20
SHOWN = 5
FLAT = 1.25
"""A process that waits for mail costs something too, so the CPU per mail may rise by so much."""


@dataclass
class Doors:
    """Sources for several doors, in turn; stands where one `Source` does."""

    sources: list[Source]
    sent: list[Mail] = field(default_factory=list)

    @property
    def accepted(self) -> dict[str, float]:
        """Time of the 250 by ledger id, at whichever door."""
        return {name: at for source in self.sources for name, at in source.accepted.items()}

    @property
    def attempts(self) -> list[Attempt]:
        """All tries at all doors."""
        return [attempt for source in self.sources for attempt in source.attempts]

    async def deliver(self, mail: Mail) -> Reply:
        """Through the next door."""
        self.sent.append(mail)
        return await self.sources[len(self.sent) % len(self.sources)].deliver(mail)


@dataclass(frozen=True)
class _Measured:
    rate: float
    cpu_ms: dict[str, float]

    @property
    def all_ms(self) -> float:
        """What a mail costs the whole desk."""
        return sum(self.cpu_ms.values())


def run(folder: Path, *, mix: Mix | None = None) -> Iterator[Row]:
    """One stack after the other, in `ORDER`; the rows come when all have been measured."""
    measured: dict[int, list[_Measured]] = {count: [] for count in PROCESSES}
    wrong: dict[int, list[str]] = {count: [] for count in PROCESSES}
    for turn, count in enumerate(ORDER):
        own = folder / str(turn)
        own.mkdir()
        floods, found = _measure(own, count, mix or Mix())
        measured[count] += floods
        wrong[count] += found
    best = {count: min(measured[count], key=lambda one: one.all_ms) for count in PROCESSES}
    for count in PROCESSES:
        for line in wrong[count][:SHOWN]:
            print(line)
        name = f"scale: {count} of ingest and tickets"
        yield at_most(f"{name}, what the judge found", len(wrong[count]), "", goal=0)
        yield plain(f"{name}, mails/s", max(one.rate for one in measured[count]), "mails/s")
        yield from _costs(name, best[count], best[PROCESSES[0]])


def _costs(name: str, found: _Measured, first: _Measured) -> Iterator[Row]:
    for part, cost in (*sorted(found.cpu_ms.items()), ("all of the desk", found.all_ms)):
        before = first.cpu_ms.get(part, first.all_ms)
        ratio = cost / before
        is_judged = part in {"ingest", "tickets", "all of the desk"}
        yield Row(
            f"{name}, CPU per mail, {part}",
            round(cost, 2),
            "ms",
            f"with 1: {before:.2f}",
            round(ratio, 2),
            FLAT if is_judged else None,
            ratio <= FLAT if is_judged else None,
        )


def _measure(folder: Path, count: int, mix: Mix) -> tuple[list[_Measured], list[str]]:
    """Floods on one stack, and what the judge says of it."""
    wiring = Wiring(processes={"ingest": count, "tickets": count})
    with RunningDesk(folder, wiring=wiring, say=lambda _: None) as desk:
        places = [desk.facts.smtp, *desk.facts.more_doors]
        doors = Doors([Source(place, sessions=SESSIONS) for place in places])
        _flood(desk, doors, mix, "warm-up")
        floods = []
        for number in range(FLOODS):
            before = cpu_seconds(desk.facts.pids)
            seconds = _flood(desk, doors, mix, f"measured{number}")
            used = _by_service(before, cpu_seconds(desk.facts.pids), mix.total)
            floods.append(_Measured(mix.total / seconds, used))
        left = wait_until_quiet(lambda: desk.facts, desk.tend, limit_s=QUIET_S)
        return floods, [*left, *problems(_evidence(desk, doors))]


def _flood(desk: RunningDesk, doors: Doors, mix: Mix, name: str) -> float:
    """Return when the desk has done all that follows; seconds until the last acknowledgement."""
    firsts = first_mails(random.Random(name), mix, name)
    sessions = SESSIONS * len(doors.sources)
    flood = Flood(doors, desk.sink, firsts, mix.replies, sessions=sessions, name=f"{name}-reply")
    seconds = desk.play(flood.run()) - flood.began_at
    with MongoClient[dict[str, Any]](desk.facts.mongo, tz_aware=True) as client:
        settle(desk, client)
    return seconds


def _by_service(before: dict[str, float], after: dict[str, float], mails: int) -> dict[str, float]:
    """Milliseconds for each mail; processes of one service together."""
    used: dict[str, float] = {}
    for name, seconds in after.items():
        service = name.partition("-")[0]
        cost = 1000 * (seconds - before.get(name, 0.0)) / mails
        used[service] = used.get(service, 0.0) + cost
    return used


def _evidence(desk: RunningDesk, doors: Doors) -> Evidence:
    facts = desk.facts
    with MongoClient[dict[str, Any]](facts.mongo, tz_aware=True) as client:
        return Evidence(
            sent=doors.sent,
            attempts=doors.attempts,
            inbound=inbound_rows(client, doors.sent),
            events=stored_events(client),
            states=ticket_states(client),
            published=published_ids(facts.kafka),
            taken=list(desk.sink.taken),
            refused=list(desk.sink.refused),
            desk=desk.desk,
            reports=report_books(client),
            dead_letters=dead_letters(facts.kafka),
            now=time.time(),
        )
