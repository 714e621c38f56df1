"""Wiring of the tickets service: the only file that knows all the others."""

from collections.abc import Sequence

from services.tickets import documents
from services.tickets.handlers import Handlers
from services.tickets.store import INDEXES, OUTBOX_ORDER, MongoStore
from shared.addresses import AddressBook, AddressKeys
from shared.bus import OutboxRelay
from shared.contracts import topics
from shared.mongo import ensure_indexes
from shared.service import Context, Part


async def build(context: Context) -> Sequence[Part]:
    """Make the indexes, register the handlers, and give the parts to start."""
    database, bus = context.database, context.bus
    await ensure_indexes(database, INDEXES)
    relays = [
        OutboxRelay(
            bus=bus,
            collection=database[name],
            to_outgoing=to_outgoing,
            leases=database["leases"],
            owner=context.owner,
            order=OUTBOX_ORDER,
        )
        for name, to_outgoing in (
            ("events", documents.event_outgoing),
            ("outbox", documents.outbox_outgoing),
        )
    ]

    def wake() -> None:
        for relay in relays:
            relay.wake()

    book = AddressBook(AddressKeys.load(context.settings.keys), context.desk.desk.host)
    handlers = Handlers(
        store=MongoStore(context.client, database),
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
    return relays
