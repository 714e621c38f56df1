"""``postdesk backup``: everything that the desk has stored, as it is at one instant."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.output import STATE, AsJSON, StateDir, console, print_json, shows_errors
from deploy.cli.place import Kafka, Mongo, addresses
from deploy.local import backup as backups
from deploy.local import facts
from deploy.local.archive import Manifest

KEYS, CONFIGURATION = "keys.json", "desk.yaml"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(backup)


@shows_errors
def backup(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is not there yet.")],
    *,
    state_dir: StateDir = STATE,
    mongo: Mongo = "",
    kafka: Kafka = "",
    keys: Annotated[
        Path | None, typer.Option(envvar="POSTDESK_KEYS", help="Keys, instead of the stack's.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(envvar="POSTDESK_CONFIG", help="Instead of the stack's.")
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """Back up while everything runs. It holds customers' mail and the keys: keep it safe."""
    where = addresses(state_dir, mongo, kafka)
    running = facts.read(state_dir.resolve())
    files = {KEYS: keys or state_dir.resolve() / KEYS}
    if config or running:
        files[CONFIGURATION] = config or Path(running.config if running else "")
    source = backups.Source(where.mongo, where.kafka, files)
    manifest = backups.back_up(source, folder.resolve())
    if as_json:
        print_json({"folder": str(folder.resolve()), **summary(manifest)})
        return
    told = summary(manifest)
    console.print(
        f"{folder}: {told['documents']} documents of {told['collections']} collections, "
        f"{told['records']} records, and {', '.join(manifest.files) or 'no files'}.",
        markup=False,
    )
    if KEYS not in manifest.files:
        console.print("The keys of signed addresses are NOT in it: name them with --keys.")


def summary(manifest: Manifest) -> dict[str, object]:
    """What is in a backup, in figures."""
    stores = [part for part in manifest.parts if part.database]
    return {
        "taken_at": manifest.taken_at,
        "collections": len(stores),
        "documents": sum(part.documents for part in stores),
        "records": sum(part.documents for part in manifest.parts if part.topic),
        "files": manifest.files,
    }
