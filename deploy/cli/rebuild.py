"""``postdesk rebuild``: makes what sla or reports keep anew, from the history of the tickets."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.output import STATE, StateDir, console, shows_errors
from deploy.cli.place import Addresses, Mongo, with_client
from deploy.local import facts, rebuilding
from deploy.local.configuration import load_checked
from deploy.local.errors import StackError
from shared import mongo
from shared.config import ConfigurationError

Config = Annotated[
    Path | None,
    typer.Option(envvar="POSTDESK_CONFIG", help="The desk's; by default the running stack's."),
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        help="Make what a service keeps anew, from the history of the tickets.",
        no_args_is_help=True,
    )
    group.command()(sla)
    group.command()(reports)
    app.add_typer(group, name="rebuild")


@shows_errors
def sla(uri: Mongo = "", config: Config = None, state_dir: StateDir = STATE) -> None:
    """Count all clocks anew under the policies of now. What was told is not told again."""
    try:
        desk = load_checked(config or Path(facts.running(state_dir.resolve()).config))
    except ConfigurationError as error:
        raise StackError(f"The configuration cannot be used.\n{error}") from error
    _rebuild(uri, state_dir, lambda client: rebuilding.rebuild_sla(client, desk))


@shows_errors
def reports(uri: Mongo = "", state_dir: StateDir = STATE) -> None:
    """Make the rows of all tickets anew. What was sent stays sent."""
    _rebuild(uri, state_dir, rebuilding.rebuild_reports)


def _rebuild(uri: str, state_dir: Path, work: Callable[[mongo.Client], Awaitable[int]]) -> None:
    where = Addresses(uri or facts.running(state_dir.resolve()).mongo, kafka="")
    count = with_client(where, "rebuild", work)
    console.print(f"Rebuilt from the events of {count} tickets.")
