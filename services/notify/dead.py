"""Addresses that no mail is sent to, because a report or a refusal showed that they take none.

A row of ``addresses`` ends when somebody writes from there, or when a lead or an operator lifts it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.notify.outgoing import Ledger, Row
from shared.clock import Clock
from shared.contracts.ticket import (
    AddressLifted,
    DeliveryNoted,
    MailHeld,
    MessageAdded,
    TicketEvent,
)
from shared.mongo import Collection, DeleteOne, Document, Index, ReplaceOne, Session

ADDRESSES = "addresses"
INDEXES = (Index(ADDRESSES, [("found_at", 1)]),)
LOOK_PAUSE_S = 5.0
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
OVERLAP = timedelta(minutes=1)
"""Two looks overlap by so much: longer than a transaction may take."""


@dataclass(frozen=True)
class Fates:
    """What events say of rows that were sent; None in ``addresses`` is one that lives."""

    bounced: Mapping[str, Document]  # what the report said, by row id
    addresses: Mapping[str, Document | None]


class DeadAddresses:
    """What this process knows; `look` learns what others found. `why` asks the store again."""

    def __init__(self, collection: Collection, clock: Clock) -> None:
        self._rows = collection
        self._clock = clock
        self._known: set[str] = set()
        self._looked_at = LONG_AGO

    def knows(self, address: str) -> bool:
        """Whether the address was dead when this process last looked."""
        return address in self._known

    async def look(self) -> None:
        """Learn of all addresses that were found dead since the last look."""
        now = self._clock.now()
        since = self._looked_at - OVERLAP
        found = self._rows.find({"found_at": {"$gte": since}}, {"_id": 1})
        self._known |= {row["_id"] async for row in found}
        self._looked_at = now

    async def why(self, address: str) -> str:
        """Why nothing is sent there, for people; empty where the address lives."""
        if address not in self._known:
            return ""
        row = await self._rows.find_one({"_id": address})
        if row is None:
            self._known.discard(address)  # lifted by somebody else
            return ""
        return f"not sent: the address is dead since {row['died_at']:%Y-%m-%d}: {row['detail']}"

    async def save(self, addresses: Mapping[str, Document | None], session: Session) -> None:
        """Store which ones died and which ones live; the same again changes nothing."""
        writes = [
            DeleteOne({"_id": address}) if row is None else ReplaceOne({"_id": address}, row, True)
            for address, row in addresses.items()
        ]
        if writes:
            await self._rows.bulk_write(writes, session=session)

    def learn(self, addresses: Mapping[str, Document | None]) -> None:
        """Know at once what was stored."""
        self._known |= {address for address, row in addresses.items() if row}
        self._known -= {address for address, row in addresses.items() if row is None}


async def fates(
    events: Sequence[TicketEvent], dead: DeadAddresses, ledger: Ledger, now: datetime
) -> Fates:
    """What the events of a batch say, in their order: a report counts if we sent such a mail."""
    bounced: dict[str, Document] = {}
    addresses: dict[str, Document | None] = {}
    for event in events:
        if isinstance(event, DeliveryNoted):
            row = await _sent(event, ledger)
            if row and event.outcome == "bounced":
                bounced[row.id] = {"at": event.at, "detail": event.detail}
            if row and event.dead:
                addresses[row.recipient] = _dead(event, row, now)
        elif isinstance(event, AddressLifted):
            addresses[event.recipient.lower()] = None
        elif (writer := writer_of(event)) and (dead.knows(writer) or addresses.get(writer)):
            addresses[writer] = None
    return Fates(bounced, addresses)


def writer_of(event: TicketEvent) -> str:
    """Who shows by this event that their address lives; empty where nobody does."""
    if isinstance(event, MailHeld):
        return ""
    if isinstance(event, MessageAdded) and (event.message.unverified or event.message.automated):
        return ""
    kind, _, address = event.by.partition(":")
    return address.lower() if kind in {"customer", "agent"} else ""


async def _sent(event: DeliveryNoted, ledger: Ledger) -> Row | None:
    """The row that the event is about; reports of relays that rename mails: the latest one."""
    if event.outcome == "deferred":
        return None
    rows = await ledger.tried(event.ticket_id, event.recipient.lower())
    named = [row for row in rows if row.message_id == event.message_id]
    return next(iter(named or rows), None)


def _dead(event: DeliveryNoted, row: Row, now: datetime) -> Document:
    return {
        "_id": row.recipient,
        "died_at": event.at,
        "found_at": now,
        "detail": event.detail,
        "outgoing_id": row.id,
        "ticket_id": row.ticket_id,
    }
