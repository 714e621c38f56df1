"""``postdesk route``: which rule of routing would fire, and what another configuration changes."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
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
from deploy.local import facts
from deploy.local.configuration import load_checked
from deploy.local.errors import StackError
from shared import mongo
from shared.config.loading import ConfigurationError
from shared.config.models import Desk

Config = Annotated[
    Path | None, typer.Option("--config", help="Configuration to try; else the running desk's.")
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Rules of routing, tried without effect.", no_args_is_help=True)
    group.command("try")(try_mail)
    group.command()(replay)
    app.add_typer(group, name="route")


@shows_errors
def try_mail(
    file: Annotated[Path, typer.Argument(metavar="FILE.eml", help="A mail; - is stdin.")],
    *,
    config: Config = None,
    mailbox: Annotated[str, typer.Option(help="Support address that it came to.")] = "",
    at: Annotated[str, typer.Option(help="When it came, ISO 8601 with an offset; else now.")] = "",
    state_dir: StateDir = STATE,
    as_json: AsJSON = False,
) -> None:
    """Say which rule fires for a mail and why, and what follows; nothing is stored or sent."""
    from deploy.local import routing

    path = config or Path(facts.running(state_dir.resolve()).config)
    desk = _desk(path)
    if mailbox and mailbox not in desk.mailboxes_by_address:
        known = ", ".join(sorted(desk.mailboxes_by_address))
        raise StackError(f"{mailbox} is no mailbox of {path}; known: {known}.")
    question = routing.question_of(
        _read(file),
        desk,
        routing.people_of(desk, path),
        mailbox=mailbox,
        now=_instant(at) if at else datetime.now(UTC),
    )
    found = routing.explained(question, desk)
    if as_json:
        print_json(found)
    else:
        _print_try(found)


@shows_errors
def replay(
    config: Annotated[Path, typer.Option("--config", help="The configuration to compare with.")],
    since: Annotated[str, typer.Option("--since", help="Day or instant in ISO 8601.")],
    state_dir: StateDir = STATE,
    as_json: AsJSON = False,
) -> None:
    """Compare what was decided about tickets with what another configuration would decide."""
    desk = _desk(config)
    uri = facts.running(state_dir.resolve()).mongo
    found = asyncio.run(_replayed(uri, desk, _instant(since)))
    if as_json:
        print_json(found)
        return
    different = ", ".join(f"{n} by {name}" for name, n in found["differences"].items())
    console.print(f"{found['tickets']} tickets; different: {different or 'none'}.")
    rows = [
        (one["ticket"], name, change["then"], change["now"], ", ".join(one["rules"]))
        for one in found["examples"]
        for name, change in one["changed"].items()
    ]
    if rows:
        print_table(("ticket", "field", "then", "now", "by rule"), rows)


async def _replayed(uri: str, desk: Desk, since: datetime) -> dict[str, Any]:
    from deploy.local import routing

    client = mongo.connect(uri, service="route-replay")
    try:
        return await routing.replayed(client, desk, since)
    finally:
        client.close()


def _desk(path: Path) -> Desk:
    try:
        return load_checked(path).desk
    except ConfigurationError as error:
        raise StackError(str(error)) from error


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise StackError(f"{text!r} is no date or time in ISO 8601.") from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _read(file: Path) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise StackError(f"{file} cannot be read: {error.strerror}.") from error


def _print_try(found: dict[str, Any]) -> None:
    rows = [
        (one["rule"], "fits" if one["fits"] else "-", "; ".join(one["because"]))
        for one in found["rules"]
    ]
    if rows:
        print_table(("rule", "", "because"), rows)
    fired = ", ".join(found["rules_fired"]) or "no rule: as the mailbox says"
    console.print(f"Fires: {fired}")
    who = found["assign"] or "the next in the rotation"
    console.print(f"Team {found['team']}, {who}; priority {found['priority']}", end="")
    console.print(f", category {found['category']}" if found["category"] else "", end="")
    console.print(f", SLA policy {found['sla_policy']}" if found["sla_policy"] else "", end="")
    console.print(f", tags {', '.join(found['tags'])}." if found["tags"] else ".")
