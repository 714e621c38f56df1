"""``postdesk demo``: plays one support case on the running stack and prints every mail."""

import asyncio
from typing import Any

import typer
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from deploy.cli import report, trace
from deploy.cli.output import STATE, StateDir, console, print_table, shows_errors
from deploy.local import case, facts, tracing
from deploy.local.correspondent import Correspondent, Letter, NoLetterError
from deploy.local.errors import StackError
from shared import mongo

_COLOURS = {"customer": "cyan", "agent": "green", "manager": "magenta"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


@shows_errors
def demo(state_dir: StateDir = STATE) -> None:
    """Play one support case: every mail as its reader sees it, the timeline, and the ledger."""
    running = facts.running(state_dir.resolve())
    try:
        ticket = case.play(running, _show(running), report.ask_for)
    except NoLetterError as error:
        remedy = "'postdesk doctor' examines the stack; its logs are in its state folder."
        raise StackError(f"A mail that must come did not: {error}.", remedy=remedy) from error
    asyncio.run(_epilogue(running.mongo, ticket))


def _show(running: facts.StackFacts) -> case.Show:
    roles = {person.address: person.role or "agent" for person in running.agents}

    def show(happening: str, reader: Correspondent, letter: Letter) -> None:
        role = roles.get(reader.address, "customer")
        console.print(Rule(Text(happening), style="dim"))
        head = Text(f"From: {letter.sender}\nSubject: {letter.subject}\n\n", style="dim")
        body = Text.assemble(head, letter.text.strip())
        if letter.attachment_names:
            body.append(f"\n\nAttached: {', '.join(letter.attachment_names)}", style="dim")
        title = Text(f"{role}: {reader.name} <{reader.address}>")
        colour = _COLOURS.get(role, "yellow")
        console.print(Panel(body, title=title, title_align="left", border_style=colour))

    return show


async def _epilogue(uri: str, ticket: str) -> None:
    client = mongo.connect(uri, service="demo")
    try:
        stores = tracing.Stores.of(client)
        events = await stores.events.find({"ticket_id": ticket}).sort("seq", 1).to_list(None)
        sent = await stores.outgoing.find({"ticket_id": ticket}, {"raw": 0}).to_list(None)
        messages = stores.messages.find({"ticket_id": ticket})
        inbound = sorted({m["inbound_id"] async for m in messages if m["inbound_id"]})
        rows = await stores.inbound.find({"_id": {"$in": inbound}}, {"raw": 0}).to_list(None)
    finally:
        client.close()
    console.print(Rule(Text(f"Timeline of {ticket}"), style="dim"))
    print_table(
        ("seq", "time (UTC)", "event", "by"),
        ((e["seq"], trace.at(e["at"]), e["type"], e["by"]) for e in events),
    )
    console.print(Rule(Text("Ledger of its mails"), style="dim"))
    print_table(("time (UTC)", "in or out", "who", "what", "state"), _ledger(rows, sent))


def _ledger(rows: list[mongo.Document], sent: list[mongo.Document]) -> list[tuple[Any, ...]]:
    came = [
        (trace.at(r["received_at"]), "in", r["envelope_from"], r["mailbox"], r["state"])
        for r in rows
    ]
    went = [(trace.at(r["created_at"]), "out", r["recipient"], r["kind"], r["state"]) for r in sent]
    return sorted(came + went)
