"""``postdesk doctor``: named checks, each with cause, consequence and fix."""

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.markup import escape

from deploy.cli.doctor import machine, mail, running  # noqa: F401 - they register their checks
from deploy.cli.doctor.finding import CHECKS, Check, Finding, Place, error
from deploy.cli.output import (
    STATE,
    AsJSON,
    StateDir,
    console,
    print_json,
    print_table,
    shows_errors,
)
from deploy.local import facts
from deploy.local.errors import StackError

EXIT_CODES = {"ok": 0, "skipped": 0, "warning": 1, "error": 2}
SIGNS = {
    "ok": "[green]ok[/]",
    "skipped": "[dim]--[/]",
    "warning": "[yellow]!![/]",
    "error": "[red]XX[/]",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


@shows_errors
def doctor(
    only: Annotated[list[str] | None, typer.Option("--run", help="Only this check.")] = None,
    list_checks: Annotated[bool, typer.Option("--list", help="List the checks.")] = False,
    state_dir: StateDir = STATE,
    as_json: AsJSON = False,
) -> None:
    """Examine machine and stack. Code 0: all is well; 1: there are warnings; 2: errors.

    Where no stack runs, its checks are skipped, unless one is asked for by name.
    """
    if list_checks:
        rows = [(check.id, check.about) for check in CHECKS.values()]
        print_json([{"id": i, "about": a} for i, a in rows]) if as_json else print_table(
            ("", ""), rows
        )
        return
    wanted = [_named(name) for name in only] if only else list(CHECKS.values())
    place = Place(state_dir.resolve(), facts.read(state_dir.resolve()))
    results = [_result(check, place, asked_for=bool(only)) for check in wanted]
    if as_json:
        print_json(results)
    else:
        for result in results:
            _show(result)
    raise typer.Exit(max(EXIT_CODES[result["level"]] for result in results))


def _named(name: str) -> Check:
    if name not in CHECKS:
        raise StackError(f"There is no check {name!r}.", remedy="'postdesk doctor --list'.")
    return CHECKS[name]


def _result(check: Check, place: Place, *, asked_for: bool) -> dict[str, Any]:
    if not check.needs_stack:
        found = check.run(place)
    elif place.stack:
        found = check.run(place.stack)
    elif asked_for:
        found = error("No stack is running.", consequence="Nothing to examine.", fix="postdesk up")
    else:
        return {"id": check.id, "level": "skipped", **_texts(Finding("ok", "no stack is running"))}
    return {"id": check.id, "level": found.level, **_texts(found)}


def _texts(found: Finding) -> dict[str, str]:
    return {name: text for name, text in asdict(found).items() if name != "level"}


def _show(result: dict[str, Any]) -> None:
    lines = [f"{SIGNS[result['level']]} {result['id']:<15} {escape(result['cause'])}"]
    if result["fix"]:
        lines.append(f"   {'':<15} Consequence: {escape(result['consequence'])}")
        lines.append(f"   {'':<15} Fix: {escape(result['fix'])}")
    console.print("\n".join(lines), soft_wrap=True)
