"""The pictures, drawn by a real child process."""

import pytest

from services.reports import charts

FIGURES = {
    "days": [(1, 3, 2), (2, 0, 1)],
    "hours": [[0] * 24] * 6 + [[1] * 24],
    "compliance": [("first-response", 9, 1)],
    "categories": [("$fault$", 3), ("a very long name of a category", 1)],
}


async def test_a_child_process_draws_a_picture_of_each_kind() -> None:
    drawn = await charts.draw(FIGURES)

    assert sorted(drawn) == ["categories", "compliance", "days", "hours"]
    assert all(data.startswith(b"\x89PNG") for data in drawn.values())


async def test_equal_numbers_give_equal_bytes() -> None:
    assert await charts.draw(FIGURES) == await charts.draw(FIGURES)


async def test_what_has_nothing_to_show_is_left_out() -> None:
    nothing = {"days": [(1, 0, 0)], "hours": [[0] * 24] * 7, "compliance": [], "categories": []}

    assert await charts.draw(nothing) == {}


async def test_a_child_that_fails_says_why() -> None:
    with pytest.raises(charts.DrawingError, match="KeyError"):
        await charts.draw({})
