"""``postdesk ledger``: what came in, where it is now, and what is stuck."""

from datetime import UTC, datetime

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
from deploy.cli.place import Kafka, Mongo, addresses, with_client
from deploy.local import ledger as ledgers
from deploy.local.ledger import Ledger, Stuck

EXIT_STUCK = 2


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(ledger)


@shows_errors
def ledger(
    state_dir: StateDir = STATE,
    mongo: Mongo = "",
    kafka: Kafka = "",
    as_json: AsJSON = False,
) -> None:
    """Reconcile all mail with what became of it. Code 2 if something is stuck, 1 if unknown."""
    where = addresses(state_dir, mongo, kafka)
    now = datetime.now(UTC)
    found = with_client(where, "ledger", lambda client: ledgers.take(client, where.kafka, now))
    if as_json:
        print_json(found.shown())
    else:
        _show(found)
    raise typer.Exit(EXIT_STUCK if found.stuck else 0)


def _show(found: Ledger) -> None:
    for title, numbers in (
        ("mail in", found.mail),
        ("mail out", found.outgoing),
        ("dead letters", found.dead_letters),
    ):
        told = "  ".join(f"{name} {number}" for name, number in numbers.items())
        console.print(f"{title:<13} {told}", markup=False)
    if found.dead_addresses:
        console.print(f"dead addresses {found.dead_addresses}: 'postdesk addresses list'")
    waiting = [one for one in found.states if one["rows"]]
    if waiting:
        console.print()
        print_table(
            ("service", "what", "rows", "oldest", "stuck after"),
            (
                (
                    one["service"],
                    f"{one['collection']} {one['state']}",
                    one["rows"],
                    span(one["age_s"]),
                    span(one["limit_s"]) if one["limit_s"] is not None else "-",
                )
                for one in waiting
            ),
        )
    console.print()
    for stuck in found.stuck:
        console.print(_line(stuck, found.at), markup=False, soft_wrap=True)
    if not found.stuck:
        console.print("Nothing is stuck.")


def _line(stuck: Stuck, now: datetime) -> str:
    since = ""
    if stuck.since:
        age_s = (now - stuck.since).total_seconds()
        since = f" since {stuck.since:%Y-%m-%d %H:%M:%S} UTC ({span(age_s)})"
    names = f" [{', '.join(stuck.names)}]" if stuck.names else ""
    return f"STUCK {stuck.service}: {stuck.rows} {stuck.what}{since}{names}: {stuck.remedy}"


def span(seconds: float) -> str:
    """A duration in its largest fitting unit."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
