"""The pictures of a report, drawn in a child process that takes matplotlib's memory with it."""

import asyncio
import base64
import json
import sys
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from services.reports.domain.monthly import Monthly

DRAWING_S = 90.0
_INK, _GRID = "#24323d", "#d5dce1"
_BLUE, _GREEN, _RED = "#2f6f9f", "#3c8d63", "#b5473c"
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

Figures = Mapping[str, Any]
"""What is drawn, as JSON can carry it."""


class DrawingError(RuntimeError):
    """The child process ended without pictures; the text is what it said."""


def figures_of(month: Monthly) -> Figures:
    """The numbers that the charts show."""
    return {
        "days": month.by_day,
        "hours": month.by_hour,
        "compliance": [(one.target, one.met, one.missed) for one in month.compliance],
        "categories": month.volume["category"][:8],
    }


async def draw(figures: Figures) -> dict[str, bytes]:
    """PNG files by name; charts with nothing to show are left out. Raises `DrawingError`."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.reports.charts",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(DRAWING_S):
            out, complaints = await child.communicate(json.dumps(figures).encode())
    except TimeoutError as error:
        child.kill()
        raise DrawingError(f"no pictures within {DRAWING_S} s") from error
    if child.returncode != 0:
        raise DrawingError(complaints.decode(errors="replace")[-2000:])
    return {name: base64.b64decode(data) for name, data in json.loads(out).items()}


def draw_here(figures: Figures) -> dict[str, bytes]:
    """The same in this process."""
    drawn = {
        "days": _days(figures["days"]),
        "compliance": _compliance(figures["compliance"]),
        "categories": _categories(figures["categories"]),
        "hours": _hours(figures["hours"]),
    }
    return {name: data for name, data in drawn.items() if data}


def _days(days: Sequence[tuple[int, int, int]]) -> bytes:
    if not any(came or went for _, came, went in days):
        return b""
    figure, axes = _canvas(2.5)
    numbers = [day for day, _, _ in days]
    axes.bar([n - 0.2 for n in numbers], [d[1] for d in days], 0.4, color=_BLUE, label="opened")
    axes.bar([n + 0.2 for n in numbers], [d[2] for d in days], 0.4, color=_GREEN, label="resolved")
    axes.set_xticks([n for n in numbers if n == 1 or n % 5 == 0])
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    axes.grid(axis="y", color=_GRID)
    return _png(figure)


def _compliance(rows: Sequence[tuple[str, int, int]]) -> bytes:
    if not rows:
        return b""
    figure, axes = _canvas(0.9 + 0.5 * len(rows))
    names = [name.replace("-", " ") for name, _, _ in reversed(rows)]
    met = [100 * ok / (ok + late) for _, ok, late in reversed(rows)]
    axes.barh(names, met, 0.6, color=_GREEN, label="in time")
    axes.barh(names, [100 - m for m in met], 0.6, left=met, color=_RED, label="late")
    axes.set_xlim(0, 100)
    axes.xaxis.set_major_formatter("{x:.0f} %")
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return _png(figure)


def _categories(rows: Sequence[tuple[str, int]]) -> bytes:
    if not rows:
        return b""
    figure, axes = _canvas(0.6 + 0.38 * len(rows))
    names = [_short(name) for name, _ in reversed(rows)]
    bars = axes.barh(range(len(rows)), [n for _, n in reversed(rows)], 0.6, color=_BLUE)
    axes.set_yticks(range(len(rows)), names)
    axes.bar_label(bars, padding=4, color=_INK)
    axes.set_xticks([])
    axes.margins(x=0.12)
    return _png(figure)


def _hours(weekdays: Sequence[Sequence[int]]) -> bytes:
    if not any(map(any, weekdays)):
        return b""
    figure, axes = _canvas(2.3)
    axes.imshow(weekdays, cmap="Blues", aspect="auto", vmin=0)
    axes.set_yticks(range(7), _WEEKDAYS)
    axes.set_xticks(range(0, 24, 4), [f"{hour:02}:00" for hour in range(0, 24, 4)])
    axes.tick_params(length=0)
    return _png(figure)


def _canvas(height_in: float) -> tuple[Any, Any]:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    # As wide as a phone is: so the letters keep their size when the picture is shown whole.
    with rc_context({"font.size": 10.5, "text.parse_math": False}):
        figure = Figure(figsize=(4.6, height_in), dpi=200, layout="constrained")
        axes = figure.add_subplot()
    axes.tick_params(colors=_INK)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_GRID)
    return figure, axes


def _short(name: str) -> str:
    return name if len(name) <= 18 else name[:17] + "…"  # noqa: PLR2004 - what fits beside the bars


def _png(figure: Any) -> bytes:
    file = BytesIO()
    # Without the name of the program and its version equal numbers give equal bytes.
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def _main() -> None:
    drawn = draw_here(json.load(sys.stdin))
    json.dump({n: base64.b64encode(data).decode() for n, data in drawn.items()}, sys.stdout)


if __name__ == "__main__":
    _main()
