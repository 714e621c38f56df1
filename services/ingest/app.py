"""Wiring: door and spool take mails in, the reader takes them apart and announces them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from services.ingest import limits
from services.ingest.accept import Acceptance
from services.ingest.backlog import Backlog
from services.ingest.census import STOCKS
from services.ingest.children import Allowance, Children
from services.ingest.door import Door
from services.ingest.intake import Intake
from services.ingest.lmtp import LMTPSession
from services.ingest.parsing import MailReader
from services.ingest.quarantine import Quarantine
from services.ingest.quarantine_mail import DIGESTS, QuarantineMail
from services.ingest.room import Room, disk_of, disk_of_mongo
from services.ingest.senders import SenderChecks
from services.ingest.settings import Settings
from services.ingest.smtp import Session
from services.ingest.spool import Spool
from services.ingest.store import INBOUND, INDEXES, InboundRows
from services.ingest.tools import Tools
from shared.addresses import AddressBook, AddressKeys
from shared.census import CENSUS_PAUSE_S, Census
from shared.health import Check, Health
from shared.mongo import database, ensure_indexes
from shared.parts import Background, Context, Part
from shared.senders import TOLD_DATABASE, TOLD_SENDERS

ROOM_PAUSE_S = 2.0
BACKLOG_PAUSE_S = 5.0
FETCH_PAUSE_S = 2.0
TELL_PAUSE_S = 5.0
LIMITS_PAUSE_S = 2.0
CHECKERS = 2
CHECK_COST = Allowance(cpu_s=3.0, wall_s=6.0)

_log = structlog.get_logger(__name__)


async def build(context: Context) -> Sequence[Part]:
    """Make the parts in the order of their start; the door opens last and closes first."""
    settings: Settings = context.settings
    desk = context.desk.desk
    await ensure_indexes(context.database, INDEXES)
    inbound = context.database[INBOUND]
    children = Children(settings.parsers, allowance(settings))
    senders = SenderChecks(lambda: desk, Children(CHECKERS, CHECK_COST))
    book = AddressBook(AddressKeys.load(settings.keys), desk.host)
    orders = QuarantineMail(
        Quarantine(context.client),
        context.database[DIGESTS],
        desk=lambda: desk,
        publish=context.bus.publish,
        blob=context.blobs.get,
        clock=context.clock,
    )
    sender_limits = await _limits(context, book)
    reader = MailReader(
        Tools(
            rows=InboundRows(inbound, context.clock, context.owner),
            parsers=children,
            blobs=context.blobs,
            bus=context.bus,
            book=book,
            trusted=lambda: desk.door.trusted_authserv,
            senders=senders,
            intake=Intake(lambda: desk, book),
            limits=sender_limits,
            orders=orders,
        ),
        workers=settings.parsers,
    )
    spool = Spool(inbound, expecting=lambda: door.in_data)
    acceptance = Acceptance(spool, context.blobs.put, context.clock, reader)
    folder = _folder(settings)
    disks = [disk_of_mongo(context.database), disk_of(folder)]
    room = Room(lambda: desk.door, disks, context.health)
    await room.look()
    backlog = Backlog(inbound, lambda: desk.door, context.clock, context.health)
    door = Door(
        lambda: desk,
        acceptance.store,
        folder=folder,
        room=room,
        is_behind=lambda: backlog.is_too_long,
    )
    census = Census(context.database, STOCKS, context.clock)
    fetching = fetch_with(
        context, acceptance, lambda size: room.fits(size) and not backlog.is_too_long
    )
    return [
        children,
        senders,
        reader,
        Background("limits", sender_limits.look, pause_s=LIMITS_PAUSE_S),
        Background("quarantine", orders.tell, pause_s=TELL_PAUSE_S),
        Background("census", census.count, pause_s=CENSUS_PAUSE_S),
        Background("room", room.look, pause_s=ROOM_PAUSE_S),
        Background("backlog", backlog.look, pause_s=BACKLOG_PAUSE_S),
        Background("group-commit", spool.run, pause_s=0.0),
        *fetching,
        OpenDoor(door, settings.smtp, context.health),
    ]


async def _limits(context: Context, book: AddressBook) -> limits.SenderLimits:
    """Make what counts mails of limited senders; it knows the limits that there are."""
    operators = database(context.client, TOLD_DATABASE)
    await ensure_indexes(operators, limits.TOLD_INDEXES)
    await ensure_indexes(context.database, limits.INDEXES)
    found = limits.SenderLimits(
        lambda: context.desk.desk,
        operators[TOLD_SENDERS],
        context.database[limits.COUNTS],
        book,
    )
    await found.look()
    return found


def fetch_with(
    context: Context, acceptance: Acceptance, may_take: Callable[[int], bool]
) -> Sequence[Part]:
    """Make a part for each mailbox to fetch from."""
    if not context.desk.desk.ingest.sources.imap:
        return []
    # Most desks fetch nothing: they need not carry what fetching takes.
    from services.ingest.fetching import PLACES, Fetcher, Receiver, StoredPlaces

    receiver = Receiver(
        store=acceptance.store,
        may_take=may_take,
        places=StoredPlaces(context.database[PLACES]),
        clock=context.clock,
        health=context.health,
    )
    fetchers = [Fetcher(source, receiver) for source in context.desk.desk.ingest.sources.imap]
    return [Background(one.name, one.run, pause_s=FETCH_PAUSE_S) for one in fetchers]


def allowance(settings: Settings) -> Allowance:
    """What one mail may cost."""
    return Allowance(
        cpu_s=settings.parser_cpu_s,
        wall_s=settings.parser_wall_s,
        memory_bytes=settings.parser_memory_bytes,
    )


def _folder(settings: Settings) -> Path:
    folder = settings.state_dir / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class OpenDoor:
    """The door as a part of the process; its addresses are in the health report."""

    def __init__(self, door: Door, smtp: str, health: Health) -> None:
        self._door = door
        self._smtp = smtp
        self._health = health

    async def start(self) -> None:
        """Listen."""
        await self._open("smtp", self._smtp, Session)
        if lmtp := self._door.limits.lmtp:
            await self._open("lmtp", lmtp, LMTPSession)

    async def _open(self, name: str, address: str, speaks: type[Session]) -> None:
        host, _, port = address.rpartition(":")
        bound = await self._door.open(host.strip("[]"), int(port), speaks)
        at = f"[{bound[0]}]:{bound[1]}" if ":" in bound[0] else f"{bound[0]}:{bound[1]}"
        self._health.set(name, Check(is_ok=True, detail=at))
        _log.info("door open", speaks=name, address=at)

    async def stop(self) -> None:
        """Finish the mails that are on their way."""
        await self._door.close()
