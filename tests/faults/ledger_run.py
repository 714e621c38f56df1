"""A whole desk under fire: mail flows while everything is killed, then the books are compared."""

import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from pymongo import MongoClient

from deploy.local.providers import choice
from tests.actors.desk import RunningDesk
from tests.actors.evidence import (
    altered_mails,
    dead_letters,
    inbound_mails,
    published_ids,
    stored_events,
)
from tests.actors.judge import Evidence, verdict
from tests.actors.ledger import Ledger
from tests.actors.source import Source
from tests.faults.chaos import Chaos
from tests.faults.traffic import Traffic

STORM_S = 180.0
SETTLE_S = 120.0
UNCHANGED_S = 30.0
SURE_S = 3.0
SHORT_WAITS = {"notices": {"bundle": 2, "hold": 1}}


@dataclass(frozen=True)
class Result:
    """What came out; ``problems`` is empty where nothing was lost, doubled or invented."""

    problems: list[str]
    kills: Counter[str]
    mails: int
    tries: int
    seconds: float


def run_ledger(folder: Path, seed: int, say: Callable[[str], None] = print) -> Result:
    """Play, wait until all is quiet, judge; in a folder of its own, from the main thread."""
    begun, chance = time.monotonic(), random.Random(seed)
    with ExitStack() as opened:
        # A container would come back at another port; what crashes here are processes.
        opened.enter_context(patch.object(choice, "_engine_answers", lambda: False))
        sent = opened.enter_context(Ledger(folder / "source.jsonl"))
        taken = opened.enter_context(Ledger(folder / "sink.jsonl"))
        running = RunningDesk(folder, settings=SHORT_WAITS, sink_ledger=taken, say=say)
        desk = opened.enter_context(running)
        chaos = Chaos(random.Random(chance.random()), say)
        source = Source(desk.facts.smtp, ledger=sent, chance=random.Random(chance.random()))
        traffic = Traffic(source, desk.sink, random.Random(chance.random()))
        is_sent = _storm(desk, traffic, chaos)
        say("the storm is over" if is_sent and chaos.is_over else "the storm did not end in time")
        problems = _judge_when_quiet(desk, traffic)
    problems += [] if is_sent else ["mails are left that nobody took in time"]
    seconds = time.monotonic() - begun
    return Result(problems, chaos.kills, len(traffic.sent), source.tries, seconds)


def _storm(desk: RunningDesk, traffic: Traffic, chaos: Chaos) -> bool:
    """Whether all mails found their taker in time."""
    deadline = time.monotonic() + STORM_S
    playing = desk.begin(traffic.play())
    while time.monotonic() < deadline and not (playing.done() and chaos.is_over):
        desk.tend()
        if not chaos.is_over:
            chaos.step(desk.facts)
    if playing.done():
        playing.result()
    return playing.done()


def _judge_when_quiet(desk: RunningDesk, traffic: Traffic) -> list[str]:
    """The verdict that stands: innocent twice with a pause between, or guilty without change."""
    problems = _judge(desk, traffic)
    end, changed_at = time.monotonic() + SETTLE_S, time.monotonic()
    while problems and time.monotonic() < min(end, changed_at + UNCHANGED_S):
        desk.tend(SURE_S / 2)
        before, problems = problems, _judge(desk, traffic)
        changed_at = changed_at if problems == before else time.monotonic()
    if problems:
        return problems
    desk.tend(SURE_S)
    return _judge(desk, traffic)


def _judge(desk: RunningDesk, traffic: Traffic) -> list[str]:
    source = traffic.source
    with MongoClient(desk.facts.mongo, tz_aware=True) as client:
        evidence = Evidence(
            accepted=[mail for mail in traffic.sent if mail.id in source.accepted],
            inbound=inbound_mails(client),
            events=stored_events(client),
            taken=list(desk.sink.taken),
            desk=desk.desk,
            published=published_ids(desk.facts.kafka),
        )
        altered = altered_mails(client, traffic.sent)
    refused = [f"refused: {name}: {r.code} {r.text}" for name, r in source.refused.items()]
    buried = [f"dead letter on {line}" for line in dead_letters(desk.facts.kafka)]
    return verdict(evidence) + altered + refused + buried + traffic.unanswered
