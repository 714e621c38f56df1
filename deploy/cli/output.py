"""What all commands share: their common options, how they print, and how an error ends them."""

import json
import sys
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, NoReturn, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.local.errors import StackError
from deploy.local.folders import default_state_dir

StateDir = Annotated[
    Path, typer.Option("--state-dir", envvar="POSTDESK_STATE", help="Folder of the stack's data.")
]
AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]
STATE = default_state_dir()

P = ParamSpec("P")
R = TypeVar("R")

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """Print a value as one line of JSON, flushed, so that a program may wait for it."""
    print(json.dumps(value, ensure_ascii=False, default=str), flush=True)


def print_table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print rows under headings; text of strangers is never read as markup."""
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    console.print(table)


def fail(error: StackError) -> NoReturn:
    """Say what is wrong and what helps, and end with code 1."""
    errors.print(f"[red]{escape(error.cause)}[/]")
    if error.log_tail:
        errors.print(f"The end of its log:\n[dim]{escape(error.log_tail)}[/]")
    if error.remedy:
        errors.print(f"What helps: {escape(error.remedy)}")
    sys.exit(1)


def shows_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Let a command end with an explanation instead of a trace."""

    @wraps(command)
    def explained(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except StackError as error:
            fail(error)

    return explained
