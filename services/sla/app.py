"""Wiring of the sla service: the only file that knows all the others."""

from collections.abc import Sequence

from services.sla import documents
from services.sla.census import STOCKS
from services.sla.domain.policy import Policies
from services.sla.handlers import Handlers
from services.sla.store import INDEXES, Store
from services.sla.ticker import Ticker
from services.sla.time_source import DatabaseClock
from shared.bus import GROUP_ORDER, OutboxRelay, inner_parts
from shared.census import CENSUS_PAUSE_S, Census
from shared.clock import moved
from shared.contracts import topics
from shared.mongo import ensure_indexes, server_time
from shared.parts import Background, Context, Part


async def build(context: Context) -> Sequence[Part]:
    """Make the indexes, register the handlers, and give the parts to start."""
    await ensure_indexes(context.database, INDEXES)
    source = DatabaseClock(lambda: server_time(context.client))
    await source.sync()
    clock = moved(source, context.settings.clock_file)
    store = Store(context.client, context.database, context.desk.digest)
    relay = OutboxRelay(
        bus=context.bus,
        collection=context.database["outbox"],
        to_outgoing=documents.outgoing,
        leases=context.database["leases"],
        owner=context.owner,
        order=GROUP_ORDER,
        parts_of=inner_parts,
    )
    handlers = Handlers(
        store=store, policies=Policies(context.desk.desk), clock=clock, wake=relay.wake
    )
    context.bus.batches(topics.TICKET_EVENTS, handlers.on_ticket_events)
    context.bus.batches(topics.DIRECTORY, handlers.on_directory)
    ticker = Ticker(
        store=store,
        clock=clock,
        sync=source.sync,
        wake=relay.wake,
        longest_look_s=context.settings.longest_look_s,
    )
    census = Census(context.database, STOCKS, context.clock)
    return [
        relay,
        Background("ticker", ticker.run, pause_s=0.0),
        Background("refitting", handlers.refit_all, pause_s=context.settings.longest_look_s),
        Background("census", census.count, pause_s=CENSUS_PAUSE_S),
    ]
