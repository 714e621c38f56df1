from datetime import UTC, timedelta

from shared.clock import FrozenClock, SystemClock
from tests.bus_records import NOON


def test_the_machines_time_is_aware_and_has_no_more_digits_than_mongodb_keeps() -> None:
    now = SystemClock().now()

    assert now.tzinfo is UTC
    assert now.microsecond % 1000 == 0


def test_a_frozen_clock_moves_when_told_to() -> None:
    clock = FrozenClock(NOON)

    clock.advance(timedelta(hours=2))

    assert clock.now() == NOON + timedelta(hours=2)
