"""What a mail may take of memory while it comes in."""

from pathlib import Path

from services.ingest.body import ROOMY_SPILL_BYTES, SPILL_BYTES, Body
from services.ingest.budget import Budget, Share


def test_a_small_body_is_given_back_as_it_came() -> None:
    body = Body()
    body.write(b"ab")
    body.write(b"c")

    assert (body.read(), body.size) == (b"abc", 3)


def test_a_large_body_goes_to_a_file_without_a_name(tmp_path: Path) -> None:
    body = Body(tmp_path)
    for _ in range(3):
        body.write(b"x" * SPILL_BYTES)

    assert body._chunks == []
    assert list(tmp_path.iterdir()) == []
    assert body.read() == b"x" * 3 * SPILL_BYTES
    body.close()


def test_where_there_is_room_a_file_is_spared(tmp_path: Path) -> None:
    body = Body(tmp_path / "missing", is_roomy=lambda: True)

    body.write(b"x" * ROOMY_SPILL_BYTES)

    assert body.read() == b"x" * ROOMY_SPILL_BYTES


def test_what_does_not_fit_is_not_taken() -> None:
    budget = Budget(100)
    share = Share(budget)

    assert share.take(60)
    assert not share.take(60)
    assert budget.used_bytes == 60


def test_a_share_is_given_back_once() -> None:
    budget = Budget(100)
    share, other = Share(budget), Share(budget)
    share.take(40)
    other.take(40)

    share.give_back()
    share.give_back()

    assert budget.used_bytes == 40


def test_room_ends_early() -> None:
    budget = Budget(80)
    share = Share(budget)

    share.take(10)

    assert not budget.is_roomy
    share.give_back()
    assert budget.is_roomy
