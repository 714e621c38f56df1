"""Rates, latencies and recovery times of a run."""

import statistics
from collections.abc import Mapping, Sequence

from tests.actors.books import Evidence
from tests.actors.judge_sent import repeats


def rates(found: Evidence, storm_s: float) -> dict[str, float]:
    """How fast mail was taken and sent; the latency is that of tries that were answered 250."""
    waits = sorted(one.ended - one.begun for one in found.attempts if one.outcome == "250")
    return {
        "accepted_per_s": round(len(found.accepted) / storm_s, 1),
        "sent_per_s": round(len(found.taken) / storm_s, 1),
        "tries_per_mail": round(len(found.attempts) / max(1, len(found.sent)), 2),
        "accept_p50_s": round(_share(waits, 0.5), 3),
        "accept_p99_s": round(_share(waits, 0.99), 3),
        "copies": repeats(found),
    }


def recoveries(seconds: Mapping[str, Sequence[float]]) -> dict[str, dict[str, float]]:
    """Median and longest time until what was hit was ready again, by fault."""
    return {
        name: {
            "count": len(some),
            "median": round(statistics.median(some), 1),
            "longest": round(max(some), 1),
        }
        for name, some in sorted(seconds.items())
    }


def _share(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
