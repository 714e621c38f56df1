"""``postdesk show``: one ticket with its conversation and timeline."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.panel import Panel
from rich.text import Text

from deploy.cli.output import (
    STATE,
    AsJSON,
    StateDir,
    console,
    print_json,
    print_table,
    shows_errors,
)
from deploy.local import facts, ticket_views
from shared import mongo
from shared.copies import change_said


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(show)


@shows_errors
def show(
    ticket: Annotated[str, typer.Argument(help="Its number, such as T-1.")],
    state_dir: StateDir = STATE,
    as_json: AsJSON = False,
) -> None:
    """Show one ticket: state, clocks, conversation, timeline."""
    view = asyncio.run(_one(facts.running(state_dir.resolve()).mongo, ticket))
    if as_json:
        print_json(view)
    else:
        show_ticket(view)


def show_ticket(view: dict[str, Any]) -> None:
    """Print a ticket."""
    console.print(f"{view['id']}  {view['subject']}", markup=False, style="bold")
    names = ("status", "priority", "team", "assignee", "locked_by", "requester", "account")
    rows = [(name.replace("_", " "), view[name]) for name in names if view[name]]
    copies = (("in copy", "followers"), ("blind copy", "blind_followers"))
    rows += [(said, ", ".join(view[name])) for said, name in copies if view[name]]
    rows += [(f"sla {clock['target']}", _clock(clock)) for clock in view["sla"]]
    if view["survey"]:
        rows.append(("rating", f"{view['survey']['score']} {view['survey']['comment']}"))
    print_table(("", ""), rows)
    for message in view["messages"]:
        _show_message(message)
    entries = ((e["seq"], e["at"][:19], _what(e), e["by"]) for e in view["timeline"])
    print_table(("", "time (UTC)", "event", "by"), entries)


def _what(event: dict[str, Any]) -> str:
    """The event, and for a mail that did not arrive whose it was, for copies who gets them."""
    data = event["data"]
    if event["type"] == "ticket.followers-changed":
        said = change_said(data["added"], data["blind"], data["removed"])
        return f"{event['type']} ({said})"
    if event["type"] != "ticket.delivery-noted":
        return str(event["type"])
    dead = ", the address is dead" if data.get("dead") else ""
    return f"{event['type']} ({data['recipient']} {data['outcome']}{dead})"


def _show_message(message: dict[str, Any]) -> None:
    doubt = ", UNVERIFIED" if message["unverified"] else ""
    title = f"{message['kind']} {message['direction']}: {message['from'] or message['author']}"
    body = Text((message["reply_text"] or message["text"]).strip())
    for file in message["attachments"]:
        body.append(f"\nAttached: {file['name']}", style="dim")
    console.print(Panel(body, title=Text(title + doubt), title_align="left"))


def _clock(clock: dict[str, Any]) -> str:
    due = f", due {clock['due_at'][:16]} UTC" if clock["due_at"] else ""
    return f"{clock['state']}{due}"


async def _one(uri: str, ticket: str) -> dict[str, Any]:
    client = mongo.connect(uri, service="ticket-show")
    try:
        database = mongo.database(client, "tickets")
        return await ticket_views.one(database, ticket, now=datetime.now(UTC))
    finally:
        client.close()
