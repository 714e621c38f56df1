"""Wiring of the reports service: the only file that knows all the others."""

import time
from collections.abc import Sequence

from services.reports.census import STOCKS
from services.reports.handlers import Handlers
from services.reports.sender import Sender, outgoing
from services.reports.store import INDEXES, OUTBOX_ORDER, Store
from shared.bus import OutboxRelay
from shared.census import CENSUS_PAUSE_S, Census
from shared.contracts import topics
from shared.mongo import ensure_indexes
from shared.parts import Background, Context, Part


async def build(context: Context) -> Sequence[Part]:
    """Make the indexes, register the handler, and give the parts to start."""
    await ensure_indexes(context.database, INDEXES)
    store = Store(context.client, context.database)
    relay = OutboxRelay(
        bus=context.bus,
        collection=context.database["outbox"],
        to_outgoing=outgoing,
        leases=context.database["leases"],
        owner=context.owner,
        order=OUTBOX_ORDER,
    )
    context.bus.batches(topics.TICKET_EVENTS, Handlers(store).on_ticket_events, max_records=500)
    started_at = time.monotonic()

    async def is_settled() -> bool:
        """Whether the events of an outage have been read."""
        if time.monotonic() - started_at < context.settings.settle_s:
            return False
        return await context.bus.waiting() == 0

    sender = Sender(
        store=store,
        blobs=context.blobs,
        desk=context.desk.desk,
        clock=context.clock,
        wake=relay.wake,
        is_settled=is_settled,
    )
    census = Census(context.database, STOCKS, context.clock)
    return [
        relay,
        Background("reports", sender.look, pause_s=context.settings.look_s),
        Background("census", census.count, pause_s=CENSUS_PAUSE_S),
    ]
