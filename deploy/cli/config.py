"""``postdesk config check``: says whether a configuration file can be used, and what is wrong."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.output import AsJSON, print_json
from deploy.local.configuration import load_checked
from shared.config import ConfigurationError
from shared.config.loading import LoadedDesk

File = Annotated[Path, typer.Argument(metavar="FILE", help="The desk's configuration, YAML.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="The desk's configuration file.", no_args_is_help=True)
    group.callback()(_group)
    group.command()(check)
    app.add_typer(group, name="config")


def _group() -> None:
    """Keep ``check`` a subcommand although it is the only one."""


def check(file: File, as_json: AsJSON = False) -> None:
    """List every problem as FILE:LINE: REASON. Code 1 if there is one."""
    try:
        loaded = load_checked(file)
    except ConfigurationError as error:
        _refuse(file, error, as_json=as_json)
        raise typer.Exit(1) from error
    _accept(file, loaded, as_json=as_json)


def _refuse(file: Path, error: ConfigurationError, *, as_json: bool) -> None:
    if as_json:
        problems = [{"line": p.line, "where": p.where, "reason": p.reason} for p in error.problems]
        print_json({"file": str(file), "valid": False, "problems": problems})
    else:
        print(error)


def _accept(file: Path, loaded: LoadedDesk, *, as_json: bool) -> None:
    desk = loaded.desk
    if as_json:
        print_json({"file": str(file), "valid": True, "problems": [], "hash": loaded.digest})
        return
    parts = f"{len(desk.mailboxes)} mailboxes, {len(desk.teams)} teams, {len(desk.agents)} agents"
    print(f"{file}: good ({desk.name}: {parts}; hash {loaded.digest})")
