"""Which faults a run has, in which order: by weight, and the seed decides."""

import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

Range = tuple[float, float]


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong with ``target`` for ``seconds``; 0: it is over at once."""

    kind: str
    target: str
    seconds: float = 0.0

    def __str__(self) -> str:
        for_s = f" for {self.seconds:.0f} s" if self.seconds else ""
        return f"{self.kind} {self.target}{for_s}"


@dataclass(frozen=True)
class Lengths:
    """How long faults last, in seconds, and how far clocks jump."""

    pause: Range = (5.0, 40.0)
    down: Range = (5.0, 20.0)
    network: Range = (5.0, 30.0)
    zombie: Range = (16.0, 20.0)
    """Longer than a session at Kafka: when the process goes on, its twin has the partitions."""
    jump: Range = (20.0, 120.0)


WEIGHTS: Mapping[tuple[str, str], float] = {
    **{("kill", name): 16 for name in ("ingest", "tickets", "notify")},
    ("kill", "sla"): 8,
    ("kill", "reports"): 4,
    **{("pause", name): 4 for name in ("ingest", "tickets", "notify")},
    ("pause", "sla"): 2,
    ("pause", "reports"): 1,
    ("kill", "kafka"): 3,
    ("down", "kafka"): 2,
    ("restart", "kafka"): 2,
    ("pause", "kafka"): 1,
    ("kill", "mongo"): 4,
    ("step-down", "mongo"): 3,
    ("pause", "mongo"): 1,
    ("net-cut", "any"): 3,
    ("net-silent-to-server", "any"): 1,
    ("net-silent-to-client", "any"): 1,
    ("net-slow", "any"): 2,
    ("net-reset", "any"): 2,
    ("power-cut", "mongo, ingest"): 2,
    ("power-cut", "kafka, tickets"): 2,
    ("power-cut", "mongo, tickets"): 1,
    ("power-cut", "mongo, notify"): 1,
    ("power-cut", "kafka, ingest"): 1,
    **{("strand", name): 2 for name in ("tickets", "notify")},
    **{("zombie", name): 2 for name in ("tickets", "notify")},
    ("restart", "all services"): 1,
    ("clock", "sla"): 2,
    ("clock", "notify"): 2,
    ("poison", "every topic"): 2,
}
"""Services as on the reliability page, 80 % killed and 20 % stopped; then what they stand on."""
ESSENTIAL = (
    *(("kill", name) for name in ("ingest", "tickets", "notify", "sla", "reports")),
    *(("pause", name) for name in ("ingest", "tickets", "notify")),
    *(("kill", "kafka"), ("down", "kafka"), ("restart", "kafka")),
    *(("kill", "mongo"), ("step-down", "mongo")),
    *(("net-cut", "any"), ("net-slow", "any"), ("net-reset", "any")),
    *(("net-silent-to-server", "any"), ("net-silent-to-client", "any")),
    *(("power-cut", "mongo, ingest"), ("power-cut", "kafka, tickets")),
    *(("zombie", "tickets"), ("zombie", "notify")),
    *(("restart", "all services"), ("poison", "every topic")),
    *(("clock", "sla"), ("clock", "notify")),
)
"""What every run has, if it has so many faults."""
DISKS = (
    *(("disk-full", "mongo"), ("disk-full", "kafka"), ("sync-error", "mongo")),
    *(("kill", name) for name in ("ingest", "tickets", "notify")),
)
"""What a run on small disks has, again and again."""


def plan(
    chance: random.Random,
    count: int,
    lengths: Lengths,
    links: Sequence[tuple[str, str]],
    only: Collection[str] = (),
) -> list[Fault]:
    """As many faults; ``links`` are (service, server) pairs that the network can be broken at.

    Without links the servers are clusters: of their nodes those die that matter most at the moment.
    ``only`` names the faults to draw from as they are printed (``kill mongo``); none means all.
    """
    possible = [what for what in WEIGHTS if links or _fits_clusters(*what)]
    possible = [what for what in possible if not only or " ".join(what) in only]
    if not possible:
        raise ValueError(f"there are no such faults: {', '.join(only)}")
    drawn = chance.choices(possible, [WEIGHTS[what] for what in possible], k=count)
    essential = [what for what in ESSENTIAL if what in possible]
    chance.shuffle(essential)  # a short plan has some of them, not always the same
    drawn = [*essential, *drawn][:count]
    chance.shuffle(drawn)
    places = _turns(chance, links, count) if links else []
    return [_fault(chance, kind, target, lengths, places) for kind, target in drawn]


def plan_of_disks(chance: random.Random, count: int, lengths: Lengths) -> list[Fault]:
    """As many faults of disks, and services that die meanwhile."""
    drawn = [DISKS[number % len(DISKS)] for number in range(count)]
    chance.shuffle(drawn)
    return [_fault(chance, kind, target, lengths, []) for kind, target in drawn]


def kinds(faults: Sequence[Fault]) -> Counter[str]:
    """How many of each kind."""
    return Counter(fault.kind for fault in faults)


def _fits_clusters(kind: str, target: str) -> bool:
    """Whether the fault is about services, or about what one node of several can suffer."""
    servers = target in {"kafka", "mongo"}
    return not kind.startswith(("net-", "zombie", "strand")) and (
        not servers or kind in {"kill", "step-down"}
    )


def _turns(
    chance: random.Random, links: Sequence[tuple[str, str]], count: int
) -> list[tuple[str, str]]:
    """Links in a drawn order, again and again, so that many faults meet every link."""
    rounds = [chance.sample(links, len(links)) for _ in range(count // len(links) + 1)]
    return [link for one in rounds for link in one]


def _fault(
    chance: random.Random, kind: str, target: str, lengths: Lengths, places: list[tuple[str, str]]
) -> Fault:
    if kind.startswith("net-"):
        seconds = 0.0 if kind == "net-reset" else chance.uniform(*lengths.network)
        return Fault(kind, "-".join(places.pop()), seconds)
    ranges = {"pause": lengths.pause, "zombie": lengths.zombie} | dict.fromkeys(
        ("down", "clock", "disk-full", "sync-error"), lengths.down
    )
    return Fault(kind, target, chance.uniform(*ranges[kind]) if kind in ranges else 0.0)
