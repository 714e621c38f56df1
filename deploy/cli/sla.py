"""``postdesk sla``: asks the calendars of a configuration, with the code that the clocks use."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError

from deploy.cli.output import print_json, shows_errors
from deploy.cli.simulate import simulate
from deploy.local.errors import StackError
from services.sla.domain.calendar import BusinessCalendar, CalendarError
from shared.config.loading import ConfigurationError, load_desk
from shared.config.sla import Calendar
from shared.config.values import Duration

Config = Annotated[Path | None, typer.Option("--config", help="The desk's configuration file.")]
Name = Annotated[str, typer.Option("--calendar", help="Name of a calendar in it.")]
From = Annotated[str, typer.Option("--from", help="Instant in ISO 8601, with an offset.")]
Batch = Annotated[bool, typer.Option("--batch", help="Read cases as JSON lines from input.")]

_seconds = TypeAdapter(Duration)
Answer = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Open time and deadlines.", no_args_is_help=True)
    group.command()(deadline)
    group.command()(elapsed)
    group.command()(simulate)
    app.add_typer(group, name="sla")


@shows_errors
def deadline(
    config: Config = None,
    calendar: Name = "",
    start: From = "",
    add: Annotated[str, typer.Option("--add", help="Open time, such as 8h.")] = "",
    batch: Batch = False,
) -> None:
    """Say when that much open time has passed: {"due_at": …}."""
    desk = _Calendars(config)
    _answer(
        desk, lambda: _due(desk.find(calendar), start, _seconds.validate_python(add)), batch=batch
    )


@shows_errors
def elapsed(
    config: Config = None,
    calendar: Name = "",
    start: From = "",
    end: Annotated[str, typer.Option("--to", help="Instant in ISO 8601, with an offset.")] = "",
    batch: Batch = False,
) -> None:
    """Say how much open time lies between two instants: {"business_s": …}."""
    desk = _Calendars(config)
    _answer(desk, lambda: _between(desk.find(calendar), start, end), batch=batch)


def _answer(desk: "_Calendars", asked: Callable[[], Answer], *, batch: bool) -> None:
    """Print what the options ask for, or the answer to each line of standard input."""
    if batch:
        _answer_lines(lambda case: _any(desk, case))
    else:
        print_json(_or_fail(asked))


class _Calendars:
    """Calendars by name from the file, each built once; and inline ones."""

    def __init__(self, config: Path | None) -> None:
        try:
            self._settings = load_desk(config).desk.calendars if config else {}
        except ConfigurationError as error:
            raise StackError(str(error)) from error
        self._built: dict[str, BusinessCalendar] = {}

    def find(self, wanted: object) -> BusinessCalendar:
        if isinstance(wanted, dict):
            return BusinessCalendar(Calendar.model_validate(wanted))
        name = str(wanted)
        if name not in self._settings:
            known = ", ".join(sorted(self._settings)) or "none"
            raise CalendarError(f"unknown calendar {name!r}; known: {known}")
        if name not in self._built:
            self._built[name] = BusinessCalendar(self._settings[name])
        return self._built[name]


def _answer_lines(answer: Callable[[Answer], Answer]) -> None:
    """Answer each line of standard input with one; end with code 1 if a line was bad."""
    bad = False
    for line in sys.stdin:
        if not line.strip():
            continue
        try:
            told = answer(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            told, bad = {"error": _reason(error)}, True
        sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    raise typer.Exit(1 if bad else 0)


def _any(desk: _Calendars, case: Answer) -> Answer:
    calendar = desk.find(case["calendar"])
    if "to" in case:
        return _between(calendar, case["from"], case["to"])
    return _due(calendar, case["from"], case["add_s"])


def _due(calendar: BusinessCalendar, start: str, seconds: float) -> Answer:
    due_at = calendar.add(_instant(start), timedelta(seconds=seconds))
    return {"due_at": due_at.isoformat().replace("+00:00", "Z")}


def _between(calendar: BusinessCalendar, start: str, end: str) -> Answer:
    seconds = calendar.between(_instant(start), _instant(end)).total_seconds()
    return {"business_s": int(seconds) if seconds.is_integer() else seconds}


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise CalendarError(f"{text!r} has no offset; write 2026-11-20T09:00:00+01:00 or …Z")
    return at.astimezone(UTC)


def _or_fail(ask: Callable[[], Answer]) -> Answer:
    try:
        return ask()
    except (ValueError, OverflowError) as error:
        raise StackError(_reason(error)) from error


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        return f"{where + ': ' if where else ''}{first['msg'].removeprefix('Value error, ')}"
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing"
    return str(error) or type(error).__name__
