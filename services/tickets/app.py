"""Wiring of the tickets service: the only file that knows all the others."""

from collections.abc import Sequence

from services.tickets import documents
from services.tickets.census import STOCKS
from services.tickets.handlers import Handlers
from services.tickets.handovers import Handovers
from services.tickets.mongo_store import ANNOUNCED_ORDER, INDEXES, OUTBOX_ORDER, MongoStore
from shared.addresses import AddressBook, AddressKeys
from shared.bus import OutboxRelay
from shared.bus.lease import Lease
from shared.census import CENSUS_PAUSE_S, Census
from shared.contracts import topics
from shared.mongo import ensure_indexes
from shared.parts import Background, Context, Part

HANDOVERS_PAUSE_S = 1.0


async def build(context: Context) -> Sequence[Part]:
    """Make the indexes, register the handlers, and give the parts to start."""
    database, bus = context.database, context.bus
    await ensure_indexes(database, INDEXES)
    store = MongoStore(context.client, database, context.blobs)
    relays = _relays(context, store)

    def wake() -> None:
        for relay in relays:
            relay.wake()

    book = AddressBook(AddressKeys.load(context.settings.keys), context.desk.desk.host)
    handlers = Handlers(
        store=store,
        clock=context.clock,
        desk=context.desk,
        own_ticket_of=book.ticket_of,
        wake=wake,
    )
    most = context.settings.batch_records
    bus.batches(topics.MAIL_RECEIVED, handlers.file_mails, max_records=most)
    bus.batches(topics.TICKET_COMMANDS, handlers.run_commands, max_records=most)
    bus.batches(topics.SLA_EVENTS, handlers.note_clocks, max_records=most)
    bus.batches(topics.DELIVERY_EVENTS, handlers.note_deliveries, max_records=most)
    bus.batches(topics.DIRECTORY, handlers.keep_directory, max_records=most)
    handovers = Handovers(
        store=store,
        facts=handlers.facts,
        lease=Lease(database["leases"], "handovers", context.owner),
        wake=wake,
    )
    census = Census(database, STOCKS, context.clock)
    return [
        *relays,
        Background("handovers", handovers.run, pause_s=HANDOVERS_PAUSE_S),
        Background("census", census.count, pause_s=CENSUS_PAUSE_S),
    ]


def _relays(context: Context, store: MongoStore) -> list[OutboxRelay]:
    """One for events, which are announced in groups, and one for all other records."""
    leases, owner = context.database["leases"], context.owner
    events = OutboxRelay(
        bus=context.bus,
        collection=context.database["announcements"],
        to_outgoing=documents.event_outgoing,
        leases=leases,
        owner=owner,
        order=ANNOUNCED_ORDER,
        parts_of=store.announced,
    )
    others = OutboxRelay(
        bus=context.bus,
        collection=context.database["outbox"],
        to_outgoing=documents.outbox_outgoing,
        leases=leases,
        owner=owner,
        order=OUTBOX_ORDER,
    )
    return [events, others]
