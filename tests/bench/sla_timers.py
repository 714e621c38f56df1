"""The sla service with very many open clocks: start, lateness of what falls due, a new policy.

The store is filled as the service would have written it; what is measured is a real process.
"""

import asyncio
import math
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
from confluent_kafka import Consumer
from pymongo import MongoClient

from deploy.local.topics import create_topics
from services.sla import documents
from services.sla.domain.case import Case
from services.sla.domain.clock import TicketClock, refitted, started
from services.sla.domain.policy import Policies, Traits
from services.sla.store import INDEXES
from shared import mongo
from shared.config.loading import load_desk
from tests.bench.rows import Row, at_most, plain
from tests.service_process import ServiceProcess
from tests.stack import running_backends

CLOCKS = 1_000_000
REFITTED = 100_000
PER_SECOND = 200
DUE_S = 30
AT_ONCE = 20_000
P99_GOAL_MS, START_GOAL_S, REFIT_GOAL_S = 1000, 5, 60
AHEAD, SOON = timedelta(seconds=15), timedelta(seconds=3)
Late = tuple[datetime, float]

CONFIG = """
name: Example
host: desk.example
mailboxes: [{address: support@desk.example, brand: Example, team: support}]
teams: [{name: support, members: [ana@x.example]}]
agents: [{address: ana@x.example, name: Ana}]
calendars:
  office:
    timezone: Europe/Berlin
    holidays: {country: DE}
    week: {mon: [["08:00", "18:00"]], tue: [["08:00", "18:00"]], wed: [["08:00", "18:00"]],
           thu: [["08:00", "18:00"]], fri: [["08:00", "17:00"]]}
sla:
  policies:
    standard:
      calendar: office
      targets: {normal: {first_response: HOURS, resolution: 4000h}}
"""


def run(clocks: int = CLOCKS, changed: int = REFITTED) -> Iterator[Row]:
    """All rows, on a stack of its own; two clocks are a ticket's."""
    with (
        running_backends() as backends,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
    ):
        asyncio.run(create_topics(backends.kafka.address))
        bench = _Bench(backends.kafka.address, backends.mongo.address, Path(folder))
        bench.fill(clocks // 2, changed // 2)
        try:
            yield from bench.measure(clocks, changed)
        finally:
            bench.end()


class _Bench:
    def __init__(self, kafka: str, uri: str, folder: Path) -> None:
        self._kafka, self._uri, self._folder = kafka, uri, folder
        self._config = folder / "desk.yaml"
        self._database: Any = MongoClient(uri, tz_aware=True)["postdesk_sla"]
        self._sla: ServiceProcess | None = None

    def fill(self, cases: int, stale: int) -> None:
        """Store open cases; the first ``stale`` follow a configuration of the past."""
        asyncio.run(_make_indexes(self._uri))
        self._configure("2000h")
        before = load_desk(self._config)
        self._configure("1000h")
        after = load_desk(self._config)
        template = _case(Policies(before.desk))
        fitted = _fitted(template, Policies(after.desk))
        for first in range(0, cases, AT_ONCE // 2):
            numbers = range(first + 1, min(first + AT_ONCE // 2, cases) + 1)
            self._insert(numbers, template, fitted, (before.digest, after.digest), stale)
        self._configure("2000h")

    def measure(self, clocks: int, changed: int) -> Iterator[Row]:
        """Start, let clocks fall due, change the policy, let clocks fall due meanwhile."""
        self._database["cases"].update_many({}, [{"$set": {"was": "$fitted_to"}}])
        everybody = {"$set": {"fitted_to": load_desk(self._config).digest}}
        self._database["cases"].update_many({}, everybody)
        sla = self._service()
        begun = time.monotonic()
        sla.start()
        yield at_most(f"sla starts with {clocks} clocks", time.monotonic() - begun, "s", goal=START_GOAL_S)  # fmt: skip
        process = psutil.Process(sla.pid)
        used = _cpu_s(process)
        late = [late_ms for _, late_ms in self._let_fall_due("D", DUE_S, AHEAD)]
        yield at_most(f"lateness p99, {PER_SECOND} due a second", _p99(late), "ms", goal=P99_GOAL_MS)  # fmt: skip
        yield plain("lateness p50", sorted(late)[len(late) // 2], "ms")
        yield plain("CPU of sla while clocks fall due", 100 * (_cpu_s(process) - used) / DUE_S, "%")
        yield plain("memory of sla", process.memory_info().rss / 2**20, "MiB")
        sla.stop()
        yield from self._change_policy(changed)

    def _change_policy(self, changed: int) -> Iterator[Row]:
        self._database["cases"].update_many({}, [{"$set": {"fitted_to": "$was"}}])
        self._configure("1000h")
        sla = self._service()
        sla.start()
        begun = time.monotonic()
        late: list[Late] = []
        falling = threading.Thread(
            target=lambda: late.extend(self._let_fall_due("E", REFIT_GOAL_S, SOON))
        )
        falling.start()
        wanted = {"is_open": True, "fitted_to": {"$ne": load_desk(self._config).digest}}
        while self._database["cases"].find_one(wanted):
            time.sleep(0.2)
        took_s = time.monotonic() - begun
        ended = datetime.now(UTC)
        falling.join()
        meanwhile = [late_ms for due_at, late_ms in late if due_at <= ended]
        assert meanwhile, f"no clock fell due in the {took_s:.1f} s of the recomputation"
        yield at_most(f"{changed} clocks under another policy", took_s, "s", goal=REFIT_GOAL_S)
        yield plain("clocks that fell due meanwhile", len(meanwhile), "")
        yield at_most("lateness p99 of those", _p99(meanwhile), "ms", goal=P99_GOAL_MS)
        yield plain("lateness of the latest of those", max(meanwhile), "ms")
        sla.stop()

    def _let_fall_due(self, prefix: str, seconds: int, ahead: timedelta) -> list[Late]:
        """Each due time, from then on, and the milliseconds from it to the record on the topic."""
        consumer = _consumer(self._kafka)
        first = datetime.now(UTC) + ahead
        count = seconds * PER_SECOND
        due = [first + timedelta(seconds=n / PER_SECOND) for n in range(count)]
        self._database["clocks"].insert_many(
            [_due_clock(f"T-{9_000_000 + n}", prefix, at) for n, at in enumerate(due)],
            ordered=False,
        )
        late: list[Late] = []
        end = time.monotonic() + ahead.total_seconds() + seconds + 60
        while len(late) < count and time.monotonic() < end:
            for record in consumer.consume(500, timeout=0.5):
                told = _due_at(record, prefix)
                if told:
                    late.append((told, record.timestamp()[1] - told.timestamp() * 1000))
        consumer.close()
        assert len(late) == count, f"{len(late)} of {count} clocks fired"
        return late

    def end(self) -> None:
        """Leave no process behind, also where something failed."""
        if self._sla is not None:
            self._sla.kill()

    def _service(self) -> ServiceProcess:
        settings = {"kafka": self._kafka, "mongo": self._uri, "config": str(self._config)}
        self._sla = ServiceProcess("sla", self._folder, settings)
        return self._sla

    def _configure(self, hours: str) -> None:
        self._config.write_text(CONFIG.replace("HOURS", hours))

    def _insert(
        self, numbers: range, old: Case, new: Case, digests: tuple[str, str], stale: int
    ) -> None:
        cases, clocks = [], []
        for number in numbers:
            is_stale = number <= stale
            case, digest = (old, digests[0]) if is_stale else (new, digests[1])
            ticket_id = f"T-{number}"
            cases.append({**documents.case_document(case, digest), "_id": ticket_id})
            for place, clock in enumerate(case.clocks):
                document = documents.clock_document(clock, place)
                name = f"{ticket_id}.{clock.target}.1"
                clocks.append({**document, "_id": name, "ticket_id": ticket_id})
        self._database["cases"].insert_many(cases, ordered=False)
        self._database["clocks"].insert_many(clocks, ordered=False)


def _case(policies: Policies) -> Case:
    traits = Traits(priority="normal", mailbox="support@desk.example")
    terms = policies.terms(traits)
    assert terms is not None
    at = datetime.now(UTC).replace(microsecond=0)
    targets = ("first-response", "resolution")
    clocks = tuple(started("T-1", target, 1, at, terms) for target in targets)  # type: ignore[arg-type]
    return Case(ticket_id="T-1", seq=1, traits=traits, clocks=clocks)


def _fitted(case: Case, policies: Policies) -> Case:
    terms = policies.terms(case.traits)
    at = case.clocks[0].stretches[0][0]
    clocks = tuple(refitted(clock, at, terms) for clock in case.clocks)
    return Case(**{**vars(case), "clocks": clocks})


def _due_clock(ticket_id: str, policy: str, due_at: datetime) -> dict[str, Any]:
    """A clock that has only its due time to tell."""
    clock = TicketClock(
        ticket_id=ticket_id,
        target="resolution",
        cycle=1 if policy == "D" else 2,
        goal_s=3600,
        policy=policy,
        amber=0.75,
        stretches=((due_at - timedelta(hours=1), None),),
        due_at=due_at,
        warn_at=due_at - timedelta(minutes=15),
        warned=True,
    )
    return documents.clock_document(clock, 0)


def _due_at(record: Any, policy: str) -> datetime | None:
    if record.error() or dict(record.headers() or ()).get("ce_type") != b"sla.clock-ran-out":
        return None
    from shared.contracts.sla import ClockRanOut

    told = ClockRanOut.model_validate_json(record.value())
    return told.due_at if told.policy == policy else None


def _consumer(kafka: str) -> Consumer:
    consumer = Consumer(
        {
            "bootstrap.servers": kafka,
            "group.id": f"bench-{time.monotonic_ns()}",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe(["sla-events"])
    return consumer


def _p99(late_ms: list[float]) -> float:
    return sorted(late_ms)[math.ceil(len(late_ms) * 0.99) - 1]


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def _make_indexes(uri: str) -> None:
    client = mongo.connect(uri, service="bench")
    await mongo.ensure_indexes(mongo.database(client, "sla"), INDEXES)
    client.close()
