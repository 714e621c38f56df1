"""``postdesk trace``: everything that one mail caused, from SMTP to the last answer."""

from typing import Annotated, Any

import typer

from deploy.cli.output import (
    STATE,
    AsJSON,
    StateDir,
    console,
    errors,
    print_json,
    print_table,
    shows_errors,
)
from deploy.cli.place import Addresses, Kafka, Mongo, addresses, with_client
from deploy.local import dead_letters, tracing
from deploy.local.dead_letters import Letter, Place
from deploy.local.errors import StackError
from shared import mongo as database


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(trace)


@shows_errors
def trace(
    mail: Annotated[str, typer.Argument(help="Message-ID of a mail, in or out, or its queue id.")],
    state_dir: StateDir = STATE,
    mongo: Mongo = "",
    kafka: Kafka = "",
    as_json: AsJSON = False,
) -> None:
    """Tell everything that one mail caused, from SMTP to the last answer."""
    stories = _stories(addresses(state_dir, mongo, kafka), mail)
    if as_json:
        # One mail to several mailboxes has a story for each; the first stands at the top.
        print_json({**stories[0], "also": stories[1:]})
        return
    for story in stories:
        show(story)


def show(story: dict[str, Any]) -> None:
    """Print one story."""
    mail = story["mail"]
    console.print(f"{mail['message_id']}  {story.get('ticket') or 'no ticket'}", markup=False)
    rows = [(at(s["at"]), s["service"], s["state"]) for s in story["states"]]
    for out in story["caused"]:
        what = f"{out['kind']} to {out['recipient']}"
        rows += [(at(s["at"]), s["service"], f"{what}: {s['state']}") for s in out["states"]]
    print_table(("time (UTC)", "service", "what"), sorted(rows))


def at(moment: Any) -> str:
    """A time to the millisecond, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}"


def _stories(where: Addresses, mail: str) -> list[dict[str, Any]]:
    async def work(client: database.Client) -> list[dict[str, Any]]:
        buried = await _letters(Place(where.kafka, client))
        return await tracing.trace(tracing.Stores.of(client), mail, buried)

    return with_client(where, "trace", work)


async def _letters(place: Place) -> list[Letter]:
    try:
        return await dead_letters.letters(place)
    except StackError as error:
        errors.print(f"{error.cause} The story is told without its dead letters.", markup=False)
        return []
