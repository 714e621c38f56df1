"""Wiring of the notify service: the only file that knows all the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.notify import census, dead, delivery, outgoing, store
from services.notify.dead import DeadAddresses
from services.notify.due import Desktop, DueNotices
from services.notify.handlers import Handlers
from services.notify.letters import Letters
from services.notify.marking import Stores
from services.notify.relay import RelaySettings, SMTPRelay
from services.notify.render import Renderer
from services.notify.requests import RequestHandler
from services.notify.results import Results
from services.notify.sender import Sender
from services.notify.settings import Settings
from services.notify.stationery import Stationery
from shared.addresses import AddressBook, AddressKeys
from shared.bus import GROUP_ORDER, OutboxRelay, inner_parts, outbox_index
from shared.bus.outbox import Publisher
from shared.census import CENSUS_PAUSE_S, Census, set_aside_index
from shared.contracts import topics
from shared.mongo import Index, ensure_indexes
from shared.parts import Background, Context, Part

OUTBOX_KEPT_S = 7 * 86_400
RESULTS_COMPANY_S = 1.0
"""Nobody waits to read that a mail was sent; a ticket's timeline shows it so much later."""

INDEXES: Sequence[Index] = (
    *outgoing.INDEXES,
    *store.INDEXES,
    *census.INDEXES,
    *dead.INDEXES,
    outbox_index("outbox", GROUP_ORDER),
    set_aside_index("outbox"),
    Index("outbox", [("published_at", 1)], expire_after_s=OUTBOX_KEPT_S),
)


@dataclass(frozen=True)
class Wired:
    """The parts in the order in which they start, and the handlers."""

    outbox: OutboxRelay
    sender: Sender
    notices: DueNotices
    handlers: Handlers
    requests: RequestHandler
    dead: DeadAddresses


async def build(context: Context) -> Sequence[Part]:
    """Make the indexes, register the handlers, and give the parts to start."""
    await ensure_indexes(context.database, INDEXES)
    wired = wire(context, context.bus)
    context.bus.batches(topics.TICKET_EVENTS, wired.handlers.on_ticket_events)
    context.bus.batches(topics.DIRECTORY, wired.handlers.on_directory)
    context.bus.batches(topics.MAIL_REQUESTS, wired.requests.on_requests, max_records=50)
    counted = Census(context.database, census.STOCKS, context.clock)
    await wired.dead.look()
    return [
        Background("dead addresses", wired.dead.look, pause_s=dead.LOOK_PAUSE_S),
        wired.outbox,
        wired.sender,
        wired.notices,
        Background("census", counted.count, pause_s=CENSUS_PAUSE_S),
    ]


def wire(context: Context, publisher: Publisher) -> Wired:
    """Join the parts; nothing is started."""
    settings, database = context.settings, context.database
    book = AddressBook(AddressKeys.load(settings.keys), context.desk.desk.host)
    paper, renderer = Stationery(context.desk.desk, book), Renderer()
    ledger = outgoing.Ledger(database["outgoing"])
    buried = DeadAddresses(database[dead.ADDRESSES], context.clock)
    outbox = OutboxRelay(
        bus=publisher,
        collection=database["outbox"],
        to_outgoing=delivery.to_outgoing,
        leases=database["leases"],
        owner=context.owner,
        order=GROUP_ORDER,
        parts_of=inner_parts,
        company_s=RESULTS_COMPANY_S,
    )
    sender = Sender(
        stores=Stores(context.client, ledger, database["outbox"], context.blobs, buried),
        relay=SMTPRelay(relay_settings(settings, context.desk.desk.host)),
        owner=context.owner,
        clock=context.clock,
        wake_outbox=outbox.wake,
        connections=settings.relay_connections,
        per_domain=settings.relay_per_domain,
        first_pause=timedelta(seconds=context.desk.desk.sending.first_pause),
    )
    desktop = Desktop(
        client=context.client,
        store=store.Store.of(database),
        ledger=ledger,
        blobs=context.blobs,
        paper=paper,
        letters=Letters(paper, renderer),
        sender=sender,
        dead=buried,
        owner=context.owner,
        clock=context.clock,
    )
    notices = DueNotices(desktop)
    handlers = Handlers(
        desktop, database["outbox"], wake_notices=notices.wake, wake_outbox=outbox.wake
    )
    requests = RequestHandler(desktop, Results(paper, renderer))
    return Wired(outbox, sender, notices, handlers, requests, buried)


def relay_settings(settings: Settings, host: str) -> RelaySettings:
    """Where the relay is; raises ValueError where the address names no port."""
    name, _, port = settings.relay.rpartition(":")
    return RelaySettings(
        host=name.strip("[]"),
        port=int(port),
        timeout_s=settings.relay_timeout_s,
        tls=settings.relay_tls,
        username=settings.relay_user,
        password=settings.relay_password.get_secret_value(),
        local_hostname=host,
    )
