"""A run's outcome as a table and as JSON."""

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.faults.ledger_run import Result

SHOWN = 12
WIDTH = 140


def show(result: Result, profile: str) -> None:
    """Print the checks, what is wrong, and the figures."""
    console = Console(width=WIDTH)
    table = Table("check", "what", "", "detail", box=None)
    for check in result.checks:
        detail = f"{len(check.problems)} problems" if check.problems else ""
        table.add_row(check.name, check.title, "ok" if check.ok else "WRONG", detail)
    console.print(f"{profile}, seed {result.seed}: {result.mails} mails, {result.faults} faults, {result.seconds:.0f} s")  # fmt: skip
    console.print(table)
    for line in result.problems[:SHOWN]:
        console.print(f"  {line}", markup=False, highlight=False)
    if len(result.problems) > SHOWN:
        console.print(f"  … and {len(result.problems) - SHOWN} more, in build/faults.json")
    for name, figures in result.figures.items():
        if figures:
            console.print(f"{name}: {json.dumps(figures)}", markup=False, highlight=False)


def write(result: Result, profile: str, path: Path) -> None:
    """Store the outcome for machines; ``checks`` by name, the figures beside them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    outcome = {
        "seed": result.seed,
        "mails": result.mails,
        "faults": result.faults,
        "checks": {
            check.name: {"ok": check.ok, "detail": _detail(check.title, check.problems)}
            for check in result.checks
        },
        "profile": profile,
        "seconds": round(result.seconds),
        **result.figures,
    }
    path.write_text(json.dumps(outcome, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _detail(title: str, problems: tuple[str, ...]) -> str:
    return "; ".join([title, *problems]) if problems else title
