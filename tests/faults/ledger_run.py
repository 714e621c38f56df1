"""A whole desk under fire: mail flows while everything goes wrong, then the books are compared."""

import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from deploy.local import ports
from tests.actors.books import Evidence, Machine
from tests.actors.desk import TEND_S, RunningDesk
from tests.actors.evidence import (
    dead_letters,
    inbound_rows,
    published_ids,
    report_books,
    stored_events,
    ticket_states,
)
from tests.actors.judge import Check, verdict
from tests.actors.ledger import Ledger
from tests.actors.mails import SENTENCES, SUBJECTS
from tests.actors.moods import Moods
from tests.actors.sink import Sink
from tests.actors.source import Source
from tests.faults.chaos import Chaos
from tests.faults.disks import small_disks
from tests.faults.faketime import FakeTime
from tests.faults.field import Field
from tests.faults.figures import rates, recoveries
from tests.faults.mix import Mix
from tests.faults.network import Network
from tests.faults.plan import kinds, plan, plan_of_disks
from tests.faults.poisoner import Poisoner
from tests.faults.profiles import PROFILES, Profile
from tests.faults.quiet import wait_until_quiet
from tests.faults.traffic import Traffic
from tests.faults.watch import Watch
from tests.faults.wiring import READERS, SETTINGS, clustered, linked
from tests.leaks import TOKEN, leaks, service_logs

FIRST_MAILS = 5  # of those that come at once; not all kinds are announced
FIRST_S = 240.0
SESSIONS = 20
LAST_S = 300.0
"""So long after the storm's own limit a run is given up."""
SENDING_S = 2.0


@dataclass(frozen=True)
class Result:
    """What came out; ``figures`` are beside the verdict."""

    seed: int
    mails: int
    faults: int
    checks: list[Check]
    figures: dict[str, object]
    seconds: float

    @property
    def problems(self) -> list[str]:
        """All that is wrong, empty where nothing was lost, doubled or invented."""
        return [f"{check.name}: {line}" for check in self.checks for line in check.problems]


def run_ledger(
    folder: Path,
    seed: int,
    profile: Profile = PROFILES["short"],
    say: Callable[[str], None] = print,
) -> Result:
    """Play, wait until all is quiet, judge; in a folder of its own, from the main thread."""
    begun = time.monotonic()

    def tell(what: str) -> None:
        say(f"{time.monotonic() - begun:6.1f} s  {what}")

    with ExitStack() as opened:
        run = _Run(folder, random.Random(seed), profile, opened, tell)
        stormy = run.storm()
        tell("the storm is over")
        left = wait_until_quiet(lambda: run.desk.facts, run.tend, limit_s=profile.rest_s)
        tell("all is quiet" if not left else f"it does not come to rest: {', '.join(left)}")
        evidence = run.evidence()
        figures = run.figures(evidence)
    rest = Check("rest", "the storm ends, the desk comes to rest", (*stormy, *left))
    told = Check("logs", "logs tell nothing of mails", tuple(_told(folder / "state", evidence)))
    return Result(
        seed=seed,
        mails=len(evidence.sent),
        faults=len(run.chaos.done),
        checks=[*verdict(evidence), told, rest],
        figures=figures,
        seconds=time.monotonic() - begun,
    )


class _Run:
    """The parts of a run, joined; `storm`, then `evidence`."""

    def __init__(
        self,
        folder: Path,
        chance: random.Random,
        profile: Profile,
        opened: ExitStack,
        say: Callable[[str], None],
    ) -> None:
        def drawn() -> random.Random:
            return random.Random(chance.random())

        self._profile = profile
        self._say = say
        self._watch = Watch()
        self._moods = Moods(drawn())
        network, clocks = Network(), FakeTime(folder)
        links = [] if profile.is_cluster else list(network.links)
        if profile.has_small_disks:
            plan_of_run = plan_of_disks(drawn(), profile.faults, profile.lengths)
        else:
            plan_of_run = plan(drawn(), profile.faults, profile.lengths, links, profile.only)
        sent = opened.enter_context(Ledger(folder / "source.jsonl"))
        taken = opened.enter_context(Ledger(folder / "sink.jsonl"))
        sink = Sink(
            ledger=taken, verdict=self._moods, port=ports.free_port(), slow_s=profile.slow_s
        )
        state = folder / "state"
        wiring = (
            clustered(state, clocks) if profile.is_cluster else linked(state, network, clocks, sink)
        )
        self.desk = RunningDesk(folder, settings=SETTINGS, sink=sink, wiring=wiring, say=say)
        if profile.has_small_disks:
            opened.enter_context(small_disks(state / "kafka", state / "mongo"))
        opened.enter_context(self.desk)
        source = Source(self.desk.facts.smtp, sessions=SESSIONS, ledger=sent, chance=drawn())
        self._field = Field(self.desk, network, clocks, Poisoner(drawn()), drawn(), profile.lengths)
        self.chaos = Chaos(self._field, plan_of_run, drawn(), pause_s=profile.pause_s, say=say)
        mix, progress = Mix.of(profile.mails), lambda: self.chaos.progress
        self._traffic = Traffic(source, sink, drawn(), mix, progress)

    def storm(self) -> list[str]:
        """Return what did not end in time; all faults are healed then."""
        begun = time.monotonic()
        deadline = begun + self._profile.storm_s
        playing = self.desk.begin(self._traffic.play())
        self._launch_readers()
        self.chaos.begin()
        while time.monotonic() < deadline and not self.chaos.is_over:
            self.tend()
            self.chaos.step()
        self.chaos.finish()
        self._say("the faults are over")
        left = self._play_on(playing, deadline)
        self._storm_s = time.monotonic() - begun
        return [*left, *([f"{self.chaos.left} faults had no time"] if self.chaos.left else [])]

    def _play_on(self, playing: Future[None], deadline: float) -> list[str]:
        """Return when all mail is sent and answered, or nothing more comes that could be."""
        while not playing.done():
            self.tend(SENDING_S)
            if time.monotonic() > deadline + LAST_S:
                return ["mails are left that nobody took in time"]
            if self._traffic.is_idle and not playing.done():
                rest_s = self._profile.rest_s
                wait_until_quiet(lambda: self.desk.facts, self.tend, limit_s=rest_s)
                if self._traffic.is_idle:
                    self.desk.play(self._traffic.arrivals.give_up())
        playing.result()
        return []

    def tend(self, seconds: float = TEND_S) -> None:
        """Start again what has ended, for so long."""
        end = time.monotonic() + seconds
        while True:
            self.desk.tend()
            self._watch.look(self.desk.facts.pids)
            if time.monotonic() >= end:
                return

    def evidence(self) -> Evidence:
        """All books as they are now."""
        field, facts, now = self._field, self.desk.facts, time.time()
        field.poisoner.finish()
        seen = field.supervisor.ends.items()
        ends = Counter({name: count for name, count in seen if name not in field.excused})
        with MongoClient[dict[str, Any]](facts.mongo, tz_aware=True) as client:
            return Evidence(
                sent=self._traffic.sent,
                attempts=self._traffic.source.attempts,
                inbound=inbound_rows(client, self._traffic.sent),
                events=stored_events(client),
                states=ticket_states(client),
                published=published_ids(facts.kafka),
                taken=list(self.desk.sink.taken),
                refused=list(self.desk.sink.refused),
                desk=self.desk.desk,
                reports=report_books(client),
                dead_letters=dead_letters(facts.kafka),
                poison=field.poisoner.sent,
                disturbances=self.chaos.disturbances(now),
                machine=Machine(self._watch.peak_mib, ends, field.caused, field.bad_exits),
                unanswered=self._traffic.unanswered,
                now=now,
            )

    def figures(self, evidence: Evidence) -> dict[str, object]:
        """What is worth knowing beside the verdict."""
        return {
            "faults_by_kind": dict(sorted(kinds(self.chaos.done).items())),
            "rates": rates(evidence, self._storm_s),
            "recovery_s": recoveries(self.chaos.recovery_s()),
            "peak_mib": {name: round(mib) for name, mib in self._watch.peak_mib.items()},
            "sink": dict(self._moods.counts),
            "left_out": [] if FakeTime.library() else ["clock jumps: no libfaketime here"],
        }

    def _launch_readers(self) -> None:
        """Mail is announced before anybody reads: who begins to read late must miss nothing."""
        end = time.monotonic() + FIRST_S
        with MongoClient[dict[str, Any]](self.desk.facts.mongo) as client:
            rows = client["postdesk_ingest"]["inbound"]
            while rows.count_documents({"state": "announced"}) < FIRST_MAILS:
                assert time.monotonic() < end, "ingest announces nothing"
                self.tend()
        self._say(f"{FIRST_MAILS} mails are announced, the readers begin")
        self.desk.stack.launch(READERS)


def _told(state: Path, evidence: Evidence) -> list[str]:
    """Words, addresses and tokens that a service has logged."""
    words = {"people.example", *evidence.desk.agents_by_address, *SUBJECTS, *SENTENCES}
    sent = (mail.raw.decode("ascii", "replace") for mail in evidence.taken)
    return leaks(service_logs(state), words, {t for raw in sent for t in TOKEN.findall(raw)})
