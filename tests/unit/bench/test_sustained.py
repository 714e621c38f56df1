"""When memory counts as flat."""

from tests.bench.sustained import flat

BY_THE_MINUTE = [float(60 * n) for n in range(30)]


def test_memory_that_rises_by_a_tenth_is_not_flat() -> None:
    assert not flat("tickets", [(at, 100 + at / 100) for at in BY_THE_MINUTE]).met


def test_memory_that_goes_up_and_down_is_flat() -> None:
    assert flat("tickets", [(at, 100 + 3 * (at % 120 == 0)) for at in BY_THE_MINUTE]).met


def test_what_is_filled_at_first_does_not_count() -> None:
    assert flat("tickets", [(at, min(100, 50 + at / 10)) for at in BY_THE_MINUTE]).met
