"""``postdesk tickets``: all tickets of the desk."""

import asyncio
from datetime import UTC, datetime
from typing import Any

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
from deploy.local import facts, ticket_views
from shared import mongo


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(tickets)


@shows_errors
def tickets(
    full: bool = typer.Option(False, "--full", help="With --json: the messages' texts too."),
    state_dir: StateDir = STATE,
    as_json: AsJSON = False,
) -> None:
    """List all tickets: number, state, who has it, whose it is."""
    found = asyncio.run(_all(facts.running(state_dir.resolve()).mongo, with_texts=full))
    if as_json:
        print_json(found)
    elif not found:
        console.print("No tickets yet.")
    else:
        columns = ("ticket", "status", "priority", "team", "assignee", "customer", "subject")
        print_table(columns, map(_row, found))


def _row(ticket: dict[str, Any]) -> tuple[str, ...]:
    unknown = " (unknown contact)" if ticket["unknown_contact"] else ""
    names = ("id", "status", "priority", "team", "assignee")
    rest = (ticket["requester"] + unknown, ticket["subject"])
    return (*(ticket[name] or "-" for name in names), *rest)


async def _all(uri: str, *, with_texts: bool) -> list[dict[str, Any]]:
    client = mongo.connect(uri, service="tickets-list")
    try:
        database = mongo.database(client, "tickets")
        return await ticket_views.every(database, with_texts=with_texts, now=datetime.now(UTC))
    finally:
        client.close()
