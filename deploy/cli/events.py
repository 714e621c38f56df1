"""``postdesk events replay``: the history of all tickets, once more, on a topic of its own."""

from typing import Annotated

import typer

from deploy.cli.output import STATE, StateDir, console, shows_errors
from deploy.cli.place import Kafka, Mongo, addresses, with_client
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
    kafka: Kafka = "",
    uri: Mongo = "",
    state_dir: StateDir = STATE,
) -> None:
    """Write all events of all tickets on a topic, for a subscriber that comes later."""
    where = addresses(state_dir, uri, kafka)

    async def write(client: mongo.Client) -> int:
        return await write_history(History(mongo.database(client, "tickets")), where.kafka, to)

    count = with_client(where, "replay", write)
    console.print(f"{count} events written on {to}.", markup=False)
