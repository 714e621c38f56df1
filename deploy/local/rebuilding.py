"""Rebuilds what sla and reports keep of tickets, from the history that tickets keeps."""

from collections.abc import Awaitable, Callable, Collection
from typing import Protocol

from deploy.local.history import History
from services.reports import rebuild as reports
from services.reports.store import INDEXES as REPORTS_INDEXES
from services.reports.store import Store as ReportsStore
from services.sla.domain.policy import Policies
from services.sla.rebuild import History as ClockHistory
from services.sla.rebuild import Rebuilder
from services.sla.store import INDEXES as SLA_INDEXES
from services.sla.store import Store as SLAStore
from shared.clock import SystemClock
from shared.config.loading import LoadedDesk
from shared.mongo import Client, database, ensure_indexes

KEPT_AT_ONCE = 1000


class Store(Protocol):
    """The part of a service's store that is needed to find what should not be there."""

    async def tickets_after(self, ticket_id: str, limit: int) -> list[str]:
        """The next tickets that are kept, in the order of their ids."""
        ...

    async def forget(self, ticket_ids: Collection[str]) -> None:
        """Delete what is kept of tickets."""
        ...


async def rebuild_sla(client: Client, desk: LoadedDesk) -> int:
    """Rebuild all cases and clocks and give of how many tickets; the service may run.

    Raises `CalendarError` where the configuration has a calendar that cannot be used.
    """
    sla = database(client, "sla")
    await ensure_indexes(sla, SLA_INDEXES)
    store = SLAStore(client, sla, desk.digest)
    rebuilder = Rebuilder(store=store, policies=Policies(desk.desk), clock=SystemClock())
    history = History(database(client, "tickets"))
    await store.restore_customers(await history.customers())

    async def rebuild(told_of: dict[str, int]) -> Collection[str]:
        events = await history.events(told_of)
        return await rebuilder.rebuild(
            {i: ClockHistory(events[i], told_of[i]) for i in told_of if events[i]}
        )

    count = await _rebuild_all(history, rebuild)
    await _forget_unknown(history, store)
    return count


async def rebuild_reports(client: Client) -> int:
    """Rebuild the rows of all tickets and give of how many; the service may run.

    What reports has sent or was asked for stays as it is.
    """
    own = database(client, "reports")
    await ensure_indexes(own, REPORTS_INDEXES)
    store = ReportsStore(client, own)
    history = History(database(client, "tickets"))

    async def rebuild(told_of: dict[str, int]) -> Collection[str]:
        events = await history.events(told_of)
        return await reports.rebuild(store, {i: [event for event, _ in events[i]] for i in told_of})

    count = await _rebuild_all(history, rebuild)
    await _forget_unknown(history, store)
    return count


async def _rebuild_all(
    history: History, rebuild: Callable[[dict[str, int]], Awaitable[Collection[str]]]
) -> int:
    """Have groups of tickets rebuilt, those again that had new events meanwhile."""
    count = 0
    async for group in history.tickets():
        pending = group
        while pending:
            behind = await rebuild(pending)
            pending = {ticket_id: group[ticket_id] for ticket_id in behind}
        count += len(group)
    return count


async def _forget_unknown(history: History, store: Store) -> None:
    """Delete what is kept of tickets that are not, or no longer, there."""
    kept = await store.tickets_after("", KEPT_AT_ONCE)
    while kept:
        unknown = await history.unknown(kept)
        if unknown:
            await store.forget(unknown)
        kept = await store.tickets_after(kept[-1], KEPT_AT_ONCE)
