"""``postdesk restore``: a backup into an empty stack, which then goes on from it."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.backup import CONFIGURATION, KEYS, summary
from deploy.cli.output import STATE, AsJSON, StateDir, console, print_json, shows_errors
from deploy.cli.progress import Fetching
from deploy.local.restore import SKIPPED_NUMBERS, Restored
from deploy.local.restoring import Target, restore_into


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(restore)


@shows_errors
def restore(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What 'postdesk backup' made.")],
    *,
    state_dir: StateDir = STATE,
    mongo: Annotated[
        str, typer.Option(envvar="POSTDESK_MONGO", help="URI of an empty replica set.")
    ] = "",
    kafka: Annotated[
        str, typer.Option(envvar="POSTDESK_KAFKA", help="Servers of an empty Kafka.")
    ] = "",
    skip_numbers: Annotated[
        int, typer.Option(min=0, help="Ticket numbers to leave out: those given since the backup.")
    ] = SKIPPED_NUMBERS,
    as_json: AsJSON = False,
) -> None:
    """Restore into an empty stack that does not run; 'postdesk up' then goes on from there."""
    target = Target(state_dir.resolve(), mongo, kafka)
    with Fetching() as fetching:
        done = restore_into(target, folder.resolve(), skip_numbers=skip_numbers, progress=fetching)
    if as_json:
        print_json({**summary(done.manifest), "resent": done.resent})
    else:
        _show(done, folder, target)


def _show(done: Restored, folder: Path, target: Target) -> None:
    console.print(
        f"Restored {done.documents} documents as of {done.manifest.taken_at:%Y-%m-%d %H:%M:%S} "
        f"UTC, and {done.records} records.",
        markup=False,
    )
    again = ", ".join(f"{count} {what}" for what, count in done.resent.items() if count)
    console.print(f"On its way then, and sent again: {again or 'nothing'}.", markup=False)
    if KEYS in done.manifest.files:
        console.print(f"Keys: {target.state / KEYS}", markup=False)
    config = f" --config {folder / CONFIGURATION}"
    given = config if CONFIGURATION in done.manifest.files else ""
    console.print(
        f"Go on: postdesk up --state-dir {target.state}{given}", markup=False, soft_wrap=True
    )
