"""``postdesk events replay``: the history of all tickets, once more, on a topic of its own."""

import asyncio
from typing import Annotated

import typer

from deploy.cli.output import STATE, StateDir, console, shows_errors
from deploy.local import facts
from deploy.local.history import History
from deploy.local.replaying import replay as write_history
from shared import mongo


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="What has happened to tickets.", no_args_is_help=True)
    group.callback()(_group)
    group.command()(replay)
    app.add_typer(group, name="events")


def _group() -> None:
    """Keep ``replay`` a subcommand although it is the only one."""


@shows_errors
def replay(
    to: Annotated[str, typer.Option(metavar="TOPIC", help="Made if it is not there.")],
    kafka: Annotated[
        str, typer.Option(envvar="POSTDESK_KAFKA", help="By default the running stack's.")
    ] = "",
    uri: Annotated[
        str,
        typer.Option("--mongo", envvar="POSTDESK_MONGO", help="By default the running stack's."),
    ] = "",
    state_dir: StateDir = STATE,
) -> None:
    """Write all events of all tickets on a topic, for a subscriber that comes later."""
    if not (kafka and uri):
        running = facts.running(state_dir.resolve())
        kafka, uri = kafka or running.kafka, uri or running.mongo
    count = asyncio.run(_replay(uri, kafka, to))
    console.print(f"{count} events written on {to}.", markup=False)


async def _replay(uri: str, kafka: str, topic: str) -> int:
    client = mongo.connect(uri, service="replay")
    try:
        return await write_history(History(mongo.database(client, "tickets")), kafka, topic)
    finally:
        client.close()
