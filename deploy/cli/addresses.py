"""``postdesk addresses``: dead addresses that nothing is sent to, and how to lift that."""

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
from deploy.cli.place import Addresses, Mongo, addresses, with_client
from deploy.local import dead_addresses
from deploy.local.errors import StackError
from shared import mongo as database


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Dead addresses: nothing is sent to them.", no_args_is_help=True)
    group.command("list")(list_addresses)
    group.command()(lift)
    app.add_typer(group, name="addresses")


@shows_errors
def list_addresses(
    *, state_dir: StateDir = STATE, mongo: Mongo = "", as_json: AsJSON = False
) -> None:
    """List dead addresses, the latest first: since when, on which ticket, what was said."""
    found = with_client(_place(state_dir, mongo), "addresses", dead_addresses.listed)
    if as_json:
        print_json(found)
    elif found:
        print_table(("address", "since (UTC)", "ticket", "said"), map(_row, found))
    else:
        console.print("No address is dead.")


@shows_errors
def lift(
    names: Annotated[list[str] | None, typer.Argument(metavar="ADDRESS...")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    state_dir: StateDir = STATE,
    mongo: Mongo = "",
) -> None:
    """Send mail to these addresses again; what was not sent meanwhile is not sent later."""
    if bool(names) == every:
        raise StackError("Name addresses, or all with --all.")

    async def work(client: database.Client) -> list[str]:
        wanted = names or [row["address"] for row in await dead_addresses.listed(client)]
        return await dead_addresses.lift(client, wanted)

    for address in with_client(_place(state_dir, mongo), "addresses", work):
        console.print(f"{address}  lifted", markup=False, soft_wrap=True)


def _place(state_dir: StateDir, uri: str) -> Addresses:
    return addresses(state_dir, uri, "-")


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    return row["address"], f"{row['died_at']:%Y-%m-%d %H:%M:%S}", row["ticket_id"], row["detail"]
