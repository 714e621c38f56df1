"""``postdesk trace``: everything that one mail caused, from SMTP to the last answer."""

import asyncio
from typing import Annotated, Any

import typer

from deploy.cli.output import (
    STATE,
    AsJSON,
    StateDir,
    console,
    print_json,
    print_table,
    shows_errors,
)
from deploy.local import facts, tracing
from shared import mongo


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(trace)


@shows_errors
def trace(
    mail: Annotated[str, typer.Argument(help="Message-ID of a mail, in or out, or its queue id.")],
    state_dir: StateDir = STATE,
    as_json: AsJSON = False,
) -> None:
    """Tell everything that one mail caused, from SMTP to the last answer."""
    stories = asyncio.run(_stories(facts.running(state_dir.resolve()).mongo, mail))
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


async def _stories(uri: str, mail: str) -> list[dict[str, Any]]:
    client = mongo.connect(uri, service="trace")
    try:
        return await tracing.trace(tracing.Stores.of(client), mail)
    finally:
        client.close()
