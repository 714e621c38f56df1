"""One measured figure, how it compares, and how a run of them is shown and kept."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """``ratio`` is that to ``against``; ``goal`` is for the ratio where there is one, else for the value.

    ``met`` is None where there is no goal.
    """

    name: str
    value: float
    unit: str
    against: str = ""
    ratio: float | None = None
    goal: float | None = None
    met: bool | None = None


def at_least(name: str, value: float, unit: str, *, what: str, against: float, goal: float) -> Row:
    """A figure that should be ``goal`` times what it is compared with, or more."""
    ratio = value / against
    compared = f"{what}: {against:.1f}"
    return Row(name, round(value, 1), unit, compared, round(ratio, 2), goal, ratio >= goal)


def at_most(name: str, value: float, unit: str, *, goal: float, says: str = "") -> Row:
    """A figure that should not be larger than ``goal``; ``says`` stands beside it."""
    return Row(name, round(value, 1), unit, says, goal=goal, met=value <= goal)


def plain(name: str, value: float, unit: str) -> Row:
    """A figure to know."""
    return Row(name, round(value, 2), unit)


def show(rows: Iterable[Row]) -> None:
    """Print a table."""
    table = Table("what", "value", "unit", "against", "ratio", "goal", "met", box=None)
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        goal = "" if row.goal is None else f"{row.goal:g}"
        met = {None: "", True: "yes", False: "[red]no[/]"}[row.met]
        table.add_row(row.name, f"{row.value:g}", row.unit, row.against, ratio, goal, met)
    Console(width=140).print(table)


def keep(rows: Iterable[Row], path: Path) -> None:
    """Write the rows as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")
