"""What Prometheus is told; memory and CPU of the process come from its client by itself."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
CAUSES = ("undecodable", "handler")
"""Why a record of a topic is given up."""
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)

RECORDS = Counter("postdesk_records_handled", "Records read and done with", ["topic"])
FAILURES = Counter("postdesk_batches_failed", "Tries of a batch that failed", ["topic", "kind"])
DEAD_LETTERS = Counter("postdesk_dead_letters", "Records given up", ["topic", "cause"])
PUBLISHED = Counter("postdesk_records_published", "Records acknowledged by Kafka", ["topic"])
COMMITS_FAILED = Counter("postdesk_commits_failed", "Commits of offsets that Kafka did not take")
BATCH_SIZE = Histogram("postdesk_batch_records", "Records of a batch", ["topic"], buckets=_SIZES)
STAGE = Histogram("postdesk_stage_seconds", "Time in a stage", ["stage"], buckets=_SECONDS)
LAG = Gauge("postdesk_lag_records", "Records on the topic that are not handled yet", ["topic"])
OUTBOX_ROWS = Gauge("postdesk_outbox_unpublished", "Rows that wait for the relay", ["outbox"])
OUTBOX_AGE = Gauge("postdesk_outbox_oldest_seconds", "Age of the oldest such row", ["outbox"])
STATE_ROWS = Gauge("postdesk_state_rows", "Rows that wait in a state", ["collection", "state"])
STATE_AGE = Gauge(
    "postdesk_state_oldest_seconds", "Age of the oldest row in a state", ["collection", "state"]
)
STATE_LIMIT = Gauge(
    "postdesk_state_limit_seconds", "Age from which a row is stuck", ["collection", "state"]
)
UP = Gauge("postdesk_up", "1 while the check passes", ["check"])


def expect(topic: str) -> None:
    """Have the counters of a topic begin at 0: from nothing to 1 is no increase for Prometheus."""
    RECORDS.labels(topic)
    for cause in CAUSES:
        DEAD_LETTERS.labels(topic, cause)


def batch_done(topic: str, records: int, seconds: float) -> None:
    """Count a batch that is over; ``seconds`` with all waiting."""
    RECORDS.labels(topic).inc(records)
    BATCH_SIZE.labels(topic).observe(records)
    STAGE.labels(f"batch:{topic}").observe(seconds)


def batch_failed(topic: str, kind: str) -> None:
    """Count a try that failed, as transient, permanent or bug."""
    FAILURES.labels(topic, kind).inc()


def dead_letter(topic: str, cause: str) -> None:
    """Count a record given up."""
    DEAD_LETTERS.labels(topic, cause).inc()


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Time a stage of the work, such as ``decide`` or ``commit``."""
    started = time.perf_counter()
    try:
        yield
    finally:
        STAGE.labels(name).observe(time.perf_counter() - started)


def exposition() -> bytes:
    """Give all of it as Prometheus reads it."""
    return generate_latest(REGISTRY)
