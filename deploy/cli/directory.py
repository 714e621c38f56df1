"""``postdesk directory load``: publishes customers that are listed in files."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.output import STATE, StateDir, console, shows_errors
from deploy.local import directory as customers
from deploy.local import facts


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Accounts, contacts, services, invoices.", no_args_is_help=True)
    group.callback()(_group)
    group.command()(load)
    app.add_typer(group, name="directory")


def _group() -> None:
    """Keep ``load`` a subcommand although it is the only one."""


@shows_errors
def load(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="YAML files.")],
    kafka: Annotated[
        str, typer.Option(help="Bootstrap servers; by default the running stack's.")
    ] = "",
    state_dir: StateDir = STATE,
) -> None:
    """Publish the customers of files on the topic directory; the same again changes nothing."""
    entries = customers.load(
        kafka or facts.running(state_dir.resolve()).kafka, files, wait=not kafka
    )
    console.print(f"{len(entries)} entries published.")
