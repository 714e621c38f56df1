"""From SMTP in to SMTP out with all processes on the same cores: rate, CPU, memory, latency, stages."""

import asyncio
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from deploy.local.parts import SERVICES
from tests.actors.desk import RunningDesk
from tests.actors.source import Source
from tests.bench.accept import serving
from tests.bench.load import Flood, Mix, Turns, accept_rate, first_mails
from tests.bench.processes import cpu_seconds, resident_mib
from tests.bench.rows import Row, at_least, at_most, plain
from tests.bench.stages import stages
from tests.faults.quiet import lag

ROUNDS = 3
TURNS = 60
WARM_UP = 10
REST_S = 3.0
LOOK_S = 0.7
SETTLE_S = 60.0
TEND_S = 0.2
LAG_S = 1.0
SOON = timedelta(seconds=10)
"""Longer than any notice of the demo waits for company."""
UNDERWAY = ["queued", "sending"]
RATE_GOAL = 0.4
MEMORY_GOAL_MIB = 120
P50_GOAL_MS, P99_GOAL_MS = 60, 200


@dataclass
class Rounds:
    """Rates of rounds, and what they cost together; CPU seconds and MiB by part."""

    rates: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    cpu: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    mails: int = 0
    peak: dict[str, float] = field(default_factory=dict)


def run(folder: Path, *, rounds: int = ROUNDS, mix: Mix | None = None) -> Iterator[Row]:
    """Measure on a stack of its own; rows as they become known."""
    mix = mix or Mix()
    with RunningDesk(folder, say=lambda _: None) as desk:
        desk.tend(REST_S)
        at_rest = resident_mib(desk.facts.pids)
        yield from _latencies(desk)
        done = Rounds()
        for number in range(rounds):
            done.bare.append(_bare_rate(desk, mix, number))
            play_round(desk, mix, number, done)
        yield from _figures(done, at_rest)
        with MongoClient(desk.facts.mongo, tz_aware=True) as client:
            yield from stages(client)


def _figures(done: Rounds, at_rest: dict[str, float]) -> Iterator[Row]:
    rate, bare = statistics.median(done.rates), statistics.median(done.bare)
    what = "bare aiosmtpd with fsync"
    yield at_least("end to end, 20 sessions", rate, "mails/s", what=what, against=bare, goal=RATE_GOAL)  # fmt: skip
    for name, seconds in sorted(done.cpu.items()):
        yield plain(f"CPU per mail, {name}", 1000 * seconds / done.mails, "ms")
    yield plain("CPU per mail, all of the desk", 1000 * sum(done.cpu.values()) / done.mails, "ms")
    for name, mib in at_rest.items():
        goal = MEMORY_GOAL_MIB if name in SERVICES else None
        row = f"memory at rest, {name}"
        yield at_most(row, mib, "MiB", goal=goal) if goal else plain(row, mib, "MiB")
    for name, mib in done.peak.items():
        yield plain(f"memory under load, {name}", mib, "MiB")


def _bare_rate(desk: RunningDesk, mix: Mix, number: int) -> float:
    everybody = Mix(mix.plain + mix.replies, mix.html, mix.attached, 0)
    mails = first_mails(random.Random(number), everybody, f"bare{number}")
    with serving("bare", tempfile.gettempdir()) as (port, _):
        return desk.play(accept_rate(Source(f"127.0.0.1:{port}", sessions=20), mails))


def play_round(desk: RunningDesk, mix: Mix, number: int, done: Rounds) -> None:
    """Have a flood of mails handled to the end and add its figures; the bench's CPU is not in."""
    firsts = first_mails(random.Random(100 + number), mix, f"flood{number}")
    source = Source(desk.facts.smtp, sessions=20)
    flood = Flood(source, desk.sink, firsts, mix.replies)
    with MongoClient(desk.facts.mongo, tz_aware=True) as client:
        messages = client["postdesk_tickets"]["messages"]
        wanted = messages.estimated_document_count() + mix.total
        before = cpu_seconds(desk.facts.pids)
        playing = desk.begin(flood.run())
        _watch(desk, playing, lambda: messages.estimated_document_count() >= wanted, done.peak)
        stored_at = time.time()
        settle(desk, client)
        after = cpu_seconds(desk.facts.pids)
    took = max(playing.result(), stored_at) - flood.began_at
    done.rates.append(mix.total / took)
    done.mails += mix.total
    for name, seconds in after.items():
        done.cpu[name] += seconds - before.get(name, 0.0)


def settle(desk: RunningDesk, client: MongoClient[dict[str, Any]]) -> None:
    """Let the desk do what follows: notices and clocks come after acknowledgements, and cost as much."""
    outgoing = client["postdesk_notify"]["outgoing"]
    # Both are answered from indexes: to look through all mails of a large desk for those that are
    # not sent would cost more than all that is measured.
    under_way = {"next_try_at": {"$exists": True}, "state": {"$in": UNDERWAY}}
    until = time.monotonic() + SETTLE_S
    while time.monotonic() < until:
        due = {"state": "planned", "not_before": {"$lte": datetime.now(UTC) + SOON}}
        if not any(outgoing.count_documents(some, limit=1) for some in (under_way, due)):
            if not any(lag(desk.facts.kafka).values()):
                return
            desk.tend(LAG_S)
        desk.tend(TEND_S)


def _watch(
    desk: RunningDesk, playing: Future[float], is_stored: Callable[[], bool], peak: dict[str, float]
) -> None:
    """Until the actors are done and all is stored; remembers the most memory meanwhile."""
    look_at = 0.0
    while not (playing.done() and is_stored()):
        desk.tend()
        if time.monotonic() > look_at:  # looking through all processes costs CPU itself
            look_at = time.monotonic() + LOOK_S
            for name, mib in resident_mib(desk.facts.pids).items():
                peak[name] = max(mib, peak.get(name, 0.0))


def _latencies(desk: RunningDesk) -> Iterator[Row]:
    turns = Turns(Source(desk.facts.smtp, sessions=1), desk.sink)
    for what, turn in (
        ("250 to acknowledgement", turns.acknowledgement),
        ("agent's 250 to customer", turns.answer),
    ):
        seconds = desk.play(_in_turn(turn))[WARM_UP:]
        p50, p99 = statistics.median(seconds), statistics.quantiles(seconds, n=100)[98]
        yield at_most(f"idle latency p50, {what}", 1000 * p50, "ms", goal=P50_GOAL_MS)
        yield at_most(f"idle latency p99, {what}", 1000 * p99, "ms", goal=P99_GOAL_MS)


async def _in_turn(turn: Callable[[int], Any]) -> list[float]:
    seconds = []
    for number in range(WARM_UP + TURNS):
        seconds.append(await turn(number))
        await asyncio.sleep(0.05)
    return seconds
