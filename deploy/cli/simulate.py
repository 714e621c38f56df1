"""``postdesk sla simulate``: what would have been late under another configuration."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

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
from deploy.local import facts, simulating
from deploy.local.configuration import load_checked
from deploy.local.errors import StackError
from deploy.local.simulating import Comparison
from shared import mongo
from shared.config import ConfigurationError
from shared.config.loading import LoadedDesk

New = Annotated[Path, typer.Option("--config", help="The configuration to try.")]
Current = Annotated[
    Path | None, typer.Option("--current", help="The one of now; by default the running stack's.")
]
Since = Annotated[str, typer.Option("--since", help="Tickets opened since: 2026-11-01.")]
Mongo = Annotated[
    str,
    typer.Option("--mongo", envvar="POSTDESK_MONGO", help="URI; by default the running stack's."),
]


@shows_errors
def simulate(
    *,
    config: New,
    since: Since,
    current: Current = None,
    uri: Mongo = "",
    as_json: AsJSON = False,
    state_dir: StateDir = STATE,
) -> None:
    """Replay past events under another configuration and print what would have been late."""
    begin = _date(since)
    now = _desk(current or Path(facts.running(state_dir.resolve()).config))
    found = asyncio.run(
        _compare(uri or facts.running(state_dir.resolve()).mongo, now, _desk(config), begin)
    )
    if as_json:
        told = {"since": since, "tickets": found.tickets, "now": len(found.now)}
        more = {"groups": found.groups(), "examples": found.examples()}
        print_json({**told, "then": len(found.then), **more})
    else:
        _print(found)


def _print(found: Comparison) -> None:
    before, after = len(found.now), len(found.then)
    console.print(f"{found.tickets} tickets: {before} breaches now, {after} then.")
    rows = [(g["team"], g["priority"], g["now"], g["then"]) for g in found.groups()]
    print_table(("team", "priority", "now", "then"), rows)
    if examples := found.examples():
        console.print("\nFor example, with the due time that was missed:")
        shown = [
            (
                e["ticket"],
                f"{e['target']} {e['cycle']}",
                _at(e["now_due_at"]),
                _at(e["then_due_at"]),
            )
            for e in examples
        ]
        print_table(("ticket", "target", "now", "then"), shown)


async def _compare(uri: str, now: LoadedDesk, then: LoadedDesk, since: datetime) -> Comparison:
    client = mongo.connect(uri, service="simulate")
    try:
        return await simulating.compare(client, now.desk, then.desk, since, datetime.now(UTC))
    finally:
        client.close()


def _desk(path: Path) -> LoadedDesk:
    try:
        return load_checked(path)
    except ConfigurationError as error:
        raise StackError(f"The configuration cannot be used.\n{error}") from error


def _date(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise StackError(f"{text!r} is no date; write 2026-11-01.") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "in time"
