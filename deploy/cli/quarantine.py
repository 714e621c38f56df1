"""``postdesk quarantine``: mails that wait for a decision, and what to do about each."""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

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
from deploy.cli.place import Mongo, addresses, with_client
from deploy.local.errors import StackError
from deploy.local.quarantine import Quarantine
from services.ingest.quarantine import Decision

Ids = Annotated[list[str] | None, typer.Argument(help="Ids, or their first characters.")]
Every = Annotated[bool, typer.Option("--all", help="All that wait.")]
Why = Annotated[str, typer.Option("--why", help="Reason, kept with the decision.")]
T = TypeVar("T")
ID_CHARS = 12
DECISIONS: dict[str, tuple[Decision, str]] = {
    "retry": (
        "retried",
        "Have mails read again, after an upgrade; their tickets get what is readable.",
    ),
    "release": (
        "released",
        "Take mails off the list: somebody has read the original. Withheld ones go to the desk.",
    ),
    "drop": (
        "dropped",
        "Take mails off the list because nobody needs them; any ticket and the original stay.",
    ),
}


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        help="Mails unread, spam, or more than their sender may write.", no_args_is_help=True
    )
    group.command("list")(list_mails)
    group.command()(show)
    for name, (decision, says) in DECISIONS.items():
        group.command(name, help=says)(_deciding(decision))
    app.add_typer(group, name="quarantine")


@shows_errors
def list_mails(
    *,
    every: Annotated[bool, typer.Option("--all", help="Those decided upon too.")] = False,
    state_dir: StateDir = STATE,
    mongo: Mongo = "",
    as_json: AsJSON = False,
) -> None:
    """List mails that wait, the oldest first: since when, from whom, why, ticket."""
    found = _with(state_dir, mongo, lambda quarantine: quarantine.entries(every=every))
    if as_json:
        print_json(found)
    elif found:
        columns = ("id", "received", "from", "ticket", "state", "why")
        print_table(columns, map(_row, found))
    else:
        console.print("No mail is in quarantine.")


@shows_errors
def show(
    name: Annotated[str, typer.Argument(metavar="ID", help="Id, or its first characters.")],
    *,
    raw: Annotated[bool, typer.Option("--raw", help="Write the mail as it came.")] = False,
    state_dir: StateDir = STATE,
    mongo: Mongo = "",
    as_json: AsJSON = False,
) -> None:
    """Show one mail's facts and decisions, or the mail itself."""

    async def look(quarantine: Quarantine) -> tuple[dict[str, Any], bytes]:
        entry = await quarantine.chosen(name)
        return entry, await quarantine.original(entry) if raw else b""

    entry, original = _with(state_dir, mongo, look)
    if raw:
        sys.stdout.buffer.write(original)
    elif as_json:
        print_json(entry)
    else:
        decisions = entry.pop("decisions")
        print_table(("", ""), ((k, v) for k, v in entry.items() if v not in ("", None)))
        for one in decisions:
            line = (
                f"{one['action']} {one['at']:%Y-%m-%d %H:%M:%S} by {one['by']}: {one['why'] or '-'}"
            )
            console.print(line, markup=False)


def _deciding(decision: Decision) -> Callable[..., None]:
    """The command that decides so: they differ in nothing else."""

    @shows_errors
    def decide(
        ids: Ids = None,
        *,
        every: Every = False,
        why: Why = "",
        state_dir: StateDir = STATE,
        mongo: Mongo = "",
    ) -> None:
        if bool(ids) == every:
            raise StackError("Name mails by their ids, or all with --all.")

        async def work(quarantine: Quarantine) -> list[dict[str, Any]]:
            wanted = await quarantine.entries() if every else []
            wanted += [await quarantine.chosen(name) for name in ids or []]
            done = {entry["id"] for entry in await quarantine.decide(wanted, decision, why)}
            return [{"id": entry["id"], "changed": entry["id"] in done} for entry in wanted]

        for one in _with(state_dir, mongo, work):
            already = "" if one["changed"] else ", nothing to do"
            console.print(f"{one['id']}  {decision}{already}", markup=False, soft_wrap=True)

    return decide


def _with(state_dir: Path, uri: str, work: Callable[[Quarantine], Awaitable[T]]) -> T:
    where = addresses(state_dir, uri, "-")
    return with_client(where, "quarantine", lambda client: work(Quarantine(client)))


def _row(entry: dict[str, Any]) -> tuple[str, ...]:
    received = f"{entry['received_at']:%Y-%m-%d %H:%M:%S}"
    rest = (entry["envelope_from"] or "<>", entry["ticket"] or "-", entry["state"])
    return entry["id"][:ID_CHARS], received, *rest, entry["unreadable"] or entry["withheld"]
