"""Sends a steady stream of mails with all else running; says what piles up and whether memory grows."""

import asyncio
import os
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from deploy.local.parts import SERVICES
from tests.actors.desk import PRESET, RunningDesk
from tests.actors.mails import Mail, Writer
from tests.actors.sink import OK, Delivery
from tests.actors.source import Source
from tests.bench.cases import QUIET_S
from tests.bench.load import SUPPORT
from tests.bench.processes import cpu_seconds, resident_mib
from tests.bench.rows import Row, at_most, plain
from tests.faults.quiet import wait_until_quiet

RATE = 50.0
SECONDS = 600.0
SESSIONS = 20
AGENTS = 100
"""In the team that gets all mail. Of two each would be told of 90,000 mails an hour, and a cap on
what one person gets holds notices back long before that."""
REPLIES = (3, 6, 9)
"""Which of ten mails answer an acknowledgement, where there is one to answer."""
ATTACHED, HTML = (0,), (1, 2)
BEHIND_GOAL_S = 2.0
SAMPLES = 120
SETTLING_SHARE = 1 / 3
"""Of the run; what is resident is looked at after that: caches, pools and code fill at first."""
FLAT_SHARE = 0.05
SIGMAS = 2.0


@dataclass
class Steady:
    """Sends so many mails a second whatever becomes of them."""

    source: Source
    desk: RunningDesk
    rate: float
    seconds: float
    waits: list[tuple[float, float]] = field(default_factory=list)
    """(when, seconds) from the begin of a mail's delivery to its acknowledgement at the sink."""

    def __post_init__(self) -> None:
        self._write = Writer(random.Random(3), run="steady")
        self._chance = random.Random(4)
        self._begun: dict[str, float] = {}
        self._to_answer: list[Delivery] = []
        self._numbers = iter(range(10_000_000))

    @property
    def unacknowledged(self) -> int:
        """New mails that have no acknowledgement yet."""
        return len(self._begun)

    async def run(self) -> None:
        """Return when the last mail is accepted."""
        self.desk.sink.verdict = self._look
        begun = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number in range(int(self.rate * self.seconds)):
                await asyncio.sleep(max(0.0, begun + number / self.rate - time.monotonic()))
                group.create_task(self.source.deliver(self._next(number)))

    def _next(self, number: int) -> Mail:
        if number % 10 in REPLIES and self._to_answer:
            return self._reply(self._to_answer.pop())
        customer = f"steady.customer{next(self._numbers):07}@people.example"
        self._begun[customer] = time.time()
        if number % 10 in ATTACHED:
            size = self._chance.randint(10_000, 60_000)
            return self._write.attached(customer, [SUPPORT], size=size)
        write = self._write.html if number % 10 in HTML else self._write.plain
        return write(customer, [SUPPORT])

    def _reply(self, mail: Delivery) -> Mail:
        return self._write.reply(
            mail.recipient,
            mail.header("Reply-To"),
            mail.header("Subject"),
            "Thank you, we got your mail.\nIts number is above.",
            **{"In-Reply-To": f"<{mail.message_id}>"},
        )

    def _look(self, mail: Delivery) -> str:
        begun = self._begun.pop(mail.recipient, None)
        if begun is not None:
            self.waits.append((mail.at, mail.at - begun))
            self._to_answer.append(mail)
        return OK


def run(folder: Path, *, rate: float = RATE, seconds: float = SECONDS) -> Iterator[Row]:
    """Measure on a stack of its own."""
    with RunningDesk(folder, settings=_staff(), say=lambda _: None) as desk:
        steady = Steady(Source(desk.facts.smtp, sessions=SESSIONS), desk, rate, seconds)
        before = cpu_seconds(desk.facts.pids)
        begun = time.monotonic()
        samples = _sampled(desk, steady)
        took = time.monotonic() - begun
        behind = steady.unacknowledged / rate
        used = cpu_seconds(desk.facts.pids)
        left = wait_until_quiet(lambda: desk.facts, desk.tend, limit_s=QUIET_S)
    yield plain("sustained: mails/s accepted", rate * seconds / took, "mails/s")
    yield at_most("sustained: seconds' worth of mail unacknowledged at the end", behind, "s", goal=BEHIND_GOAL_S)  # fmt: skip
    yield at_most("sustained: left undone when all is quiet", len(left), "", goal=0, says="; ".join(left))  # fmt: skip
    yield from _waits(steady.waits)
    mails = rate * seconds
    total = sum(used[name] - before.get(name, 0.0) for name in used)
    yield plain("sustained: CPU per mail, all of the desk", 1000 * total / mails, "ms")
    yield plain(
        "sustained: share of the machine's CPU", 100 * total / took / (os.cpu_count() or 1), "%"
    )
    for name in SERVICES:
        yield flat(name, [(at, resident[name]) for at, resident in samples])


def _staff() -> dict[str, Any]:
    """The demo's people, and as many more agents of the first team as so much mail takes."""
    preset = YAML(typ="safe").load(PRESET.read_text(encoding="utf-8"))
    like = preset["agents"][0]
    names = [f"agent{number:03}" for number in range(AGENTS)]
    more = [
        {**like, "address": f"{name}@desk-team.example", "name": name.title(), "handle": name}
        for name in names
    ]
    first, *others = preset["teams"]
    first["members"] += [agent["address"] for agent in more]
    return {"agents": [*preset["agents"], *more], "teams": [first, *others]}


def _sampled(desk: RunningDesk, steady: Steady) -> list[tuple[float, dict[str, float]]]:
    """(seconds, MiB by part) while the mails are sent."""
    every_s = max(0.5, steady.seconds / SAMPLES)
    playing = desk.begin(steady.run())
    begun = time.monotonic()
    samples = []
    while not playing.done():
        samples.append((time.monotonic() - begun, resident_mib(desk.facts.pids)))
        desk.tend(every_s)
    playing.result()
    return samples


def _waits(waits: Sequence[tuple[float, float]]) -> Iterator[Row]:
    """The acknowledgements of the second quarter and of the last: a queue that grows shows."""
    seconds = [wait for _, wait in sorted(waits)]
    quarter = len(seconds) // 4
    for name, some in (
        ("second quarter", seconds[quarter : 2 * quarter]),
        ("last quarter", seconds[-quarter:]),
    ):
        yield plain(f"sustained: mail to acknowledgement p50, {name}", 1000 * statistics.median(some), "ms")  # fmt: skip


def flat(name: str, samples: Sequence[tuple[float, float]]) -> Row:
    """Whether a line through the later samples rises by no more than 5 % or twice their scatter."""
    settled = np.array(samples[int(len(samples) * SETTLING_SHARE) :])
    at, mib = settled[:, 0], settled[:, 1]
    slope, start = np.polyfit(at, mib, 1)
    rise = float(slope * (at[-1] - at[0]))
    scatter = float(np.std(mib - (slope * at + start)))
    goal = max(FLAT_SHARE * float(np.mean(mib)), SIGMAS * scatter)
    return Row(
        f"sustained: rise of memory, {name}",
        round(rise, 2),
        "MiB",
        f"mean {np.mean(mib):.0f}, {slope * 3600:+.0f} MiB/h",
        goal=round(goal, 1),
        met=rise <= goal,
    )
