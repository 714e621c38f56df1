"""``postdesk report``: the monthly report on the screen, in files, or by mail at once."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

import typer

from deploy.cli.output import STATE, StateDir, console, shows_errors
from deploy.local import facts
from deploy.local.errors import StackError
from services.reports.composing import Composed, compose, figures
from services.reports.domain.months import Month
from services.reports.render import text_of
from services.reports.store import Store
from shared import mongo
from shared.config.loading import load_desk
from shared.config.models import Desk

T = TypeVar("T")


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Reports of the desk.", no_args_is_help=True)
    group.callback()(_group)
    group.command()(monthly)
    app.add_typer(group, name="report")


def _group() -> None:
    """Keep ``monthly`` a subcommand although it is the only one."""


@shows_errors
def monthly(
    month: Annotated[str, typer.Option(help="Such as 2026-11; the month before by default.")] = "",
    send: Annotated[str, typer.Option(metavar="ADDRESS", help="Mail it there.")] = "",
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Write its files there.")] = None,
    state_dir: StateDir = STATE,
) -> None:
    """Show the report of a month; a month that goes on is shown as far as it has come."""
    running = facts.running(state_dir.resolve())
    desk = load_desk(Path(running.config)).desk
    zone = ZoneInfo(desk.reports[0].timezone if desk.reports else "UTC")
    wanted = _month(month, zone)
    if send:
        asyncio.run(_with_store(running.mongo, lambda store: _ask(store, wanted, zone, send)))
        console.print(f"The report for {wanted} is on its way to {send}.", markup=False)
    if out is not None:
        composed = asyncio.run(
            _with_store(running.mongo, lambda store: _compose(store, desk, wanted, zone))
        )
        _write(composed, out)
    if not send and out is None:
        console.print(
            asyncio.run(_with_store(running.mongo, lambda store: _text(store, desk, wanted, zone))),
            markup=False,
        )


def ask_for(running: facts.StackFacts, to: str) -> None:
    """Have the report of the month so far mailed to somebody."""
    zone = ZoneInfo("UTC")
    month = Month.of(datetime.now(UTC), zone)
    asyncio.run(_with_store(running.mongo, lambda store: _ask(store, month, zone, to)))


def _month(text: str, zone: ZoneInfo) -> Month:
    try:
        return Month.parse(text) if text else Month.of(datetime.now(UTC), zone).before
    except ValueError as error:
        raise StackError(f"{error}.") from error


async def _with_store(uri: str, work: Callable[[Store], Awaitable[T]]) -> T:
    client = mongo.connect(uri, service="postdesk-report")
    try:
        return await work(Store(client, mongo.database(client, "reports")))
    finally:
        client.close()


async def _ask(store: Store, month: Month, zone: ZoneInfo, to: str) -> None:
    if "@" not in to or any(c.isspace() for c in to):
        raise StackError(f"{to!r} is no mail address.")
    await store.ask(uuid.uuid4().hex, month, zone.key, to, datetime.now(UTC))


async def _compose(store: Store, desk: Desk, month: Month, zone: ZoneInfo) -> Composed:
    return await compose(await figures(store, desk, month, zone), desk)


async def _text(store: Store, desk: Desk, month: Month, zone: ZoneInfo) -> str:
    return text_of(await figures(store, desk, month, zone))


def _write(composed: Composed, folder: Path) -> None:
    """Write the HTML with its pictures beside it, and the tables."""
    folder.mkdir(parents=True, exist_ok=True)
    html = composed.html
    for file in composed.files:
        (folder / file.name).write_bytes(file.data)
        if file.content_id:
            html = html.replace(f"cid:{file.content_id}", file.name)
    (folder / "report.html").write_text(html, encoding="utf-8")
    console.print(f"Written: {folder / 'report.html'}", markup=False)
