"""``postdesk dlq``: lists what was given up, shows it, puts it back, or drops it with a reason."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
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
from deploy.cli.place import Addresses, Kafka, Mongo, addresses, with_client
from deploy.local import dead_letters
from deploy.local.dead_letters import Letter, Place
from deploy.local.errors import StackError
from shared import mongo as database

Ids = Annotated[list[str] | None, typer.Argument(help="Ids, or their first characters.")]
Topic = Annotated[str, typer.Option("--topic", help="Only what came from this topic or outbox.")]
Every = Annotated[bool, typer.Option("--all", help="All of them.")]
Act = Callable[[Place, Sequence[Letter], str], Awaitable[list[Letter]]]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="What was given up (dead letters).", no_args_is_help=True)
    group.command("list")(list_letters)
    group.command()(show)
    group.command()(replay)
    group.command()(drop)
    app.add_typer(group, name="dlq")


@shows_errors
def list_letters(
    *,
    every: Annotated[bool, typer.Option("--all", help="Replayed and dropped ones too.")] = False,
    topic: Topic = "",
    state_dir: StateDir = STATE,
    mongo: Mongo = "",
    kafka: Kafka = "",
    as_json: AsJSON = False,
) -> None:
    """List open dead letters, the oldest first: from where, since when, why."""
    found = _of_topic(_letters(addresses(state_dir, mongo, kafka)), topic)
    shown = [one for one in found if every or one.status == "open"]
    if as_json:
        print_json([one.shown() for one in shown])
    elif shown:
        for one in shown:
            console.print(_line(one), markup=False, soft_wrap=True)
    else:
        console.print("No dead letters." if every else "No open dead letters.")


@shows_errors
def show(
    name: Annotated[str, typer.Argument(metavar="ID", help="Id, or its first characters.")],
    state_dir: StateDir = STATE,
    mongo: Mongo = "",
    kafka: Kafka = "",
    as_json: AsJSON = False,
) -> None:
    """Show one whole, with its content: it may hold a customer's words."""
    letter = dead_letters.chosen(_letters(addresses(state_dir, mongo, kafka)), name)
    told = letter.shown(whole=True)
    if as_json:
        print_json(told)
        return
    decisions = told.pop("decisions")
    content = told.pop("content")
    print_table(("", ""), ((k, v) for k, v in told.items() if v not in ("", None)))
    for one in decisions:
        line = f"{one['action']} {one['at']:%Y-%m-%d %H:%M:%S} by {one['by']}: {one['why'] or '-'}"
        console.print(line, markup=False)
    console.print(f"\n{content}", markup=False, soft_wrap=True)


@shows_errors
def replay(
    *,
    names: Ids = None,
    every: Every = False,
    topic: Topic = "",
    why: Annotated[str, typer.Option("--why", help="For the record.")] = "",
    state_dir: StateDir = STATE,
    mongo: Mongo = "",
    kafka: Kafka = "",
    as_json: AsJSON = False,
) -> None:
    """Put them back where they came from. One that was replayed before stays as it is."""
    where = addresses(state_dir, mongo, kafka)
    _act(where, dead_letters.replay, _Choice(names or [], every, topic), why, as_json=as_json)


@shows_errors
def drop(
    *,
    why: Annotated[str, typer.Option("--why", help="For the record; needed.")],
    names: Ids = None,
    every: Every = False,
    topic: Topic = "",
    state_dir: StateDir = STATE,
    mongo: Mongo = "",
    kafka: Kafka = "",
    as_json: AsJSON = False,
) -> None:
    """Decide that they stay given up; who, when and why is kept."""
    where = addresses(state_dir, mongo, kafka)
    _act(where, dead_letters.drop, _Choice(names or [], every, topic), why, as_json=as_json)


@dataclass(frozen=True)
class _Choice:
    """Which letters the user named."""

    names: Sequence[str]
    every: bool
    topic: str

    def of(self, letters: Sequence[Letter]) -> list[Letter]:
        if self.every:
            return [one for one in _of_topic(letters, self.topic) if one.status == "open"]
        if not self.names:
            raise StackError("Nothing is named.", remedy="give ids, or --all.")
        named = [dead_letters.chosen(letters, name) for name in self.names]
        return list({one.id: one for one in named}.values())


def _act(where: Addresses, act: Act, choice: _Choice, why: str, *, as_json: bool) -> None:
    async def work(client: database.Client) -> list[dict[str, object]]:
        place = Place(where.kafka, client)
        wanted = choice.of(await dead_letters.letters(place))
        done = {one.id for one in await act(place, wanted, why)}
        after = {one.id: one for one in await dead_letters.letters(place)}
        vain = {
            one.id: await dead_letters.why_in_vain(client, one)
            for one in wanted
            if after[one.id].status == "replayed"
        }
        return [
            {
                "id": one.id,
                "status": after[one.id].status,
                "changed": one.id in done,
                "in_vain": vain.get(one.id, ""),
            }
            for one in wanted
        ]

    results = with_client(where, "dlq", work)
    if as_json:
        print_json(results)
        return
    for one in results:
        already = "" if one["changed"] else ", nothing to do"
        vain = f"; but {one['in_vain']}" if one["in_vain"] else ""
        console.print(f"{one['id']}  {one['status']}{already}{vain}", markup=False, soft_wrap=True)


def _letters(where: Addresses) -> list[Letter]:
    return with_client(
        where, "dlq", lambda client: dead_letters.letters(Place(where.kafka, client))
    )


def _of_topic(letters: Sequence[Letter], topic: str) -> list[Letter]:
    return [one for one in letters if not topic or one.origin.partition("/")[0] == topic]


def _line(letter: Letter) -> str:
    since = f"{letter.at:%Y-%m-%d %H:%M:%S}" if letter.at else "-"
    what = f"{letter.type or '?'} {letter.record_id}"
    again = f", was {letter.replay_of}" if letter.replay_of else ""
    given_up = f"given up by {letter.service} after {letter.tries}"
    head = f"{letter.id}  {letter.status:<8}  {since}  {letter.origin}  {what}{again}"
    return f"{head}\n    {given_up}: {letter.reason}"
