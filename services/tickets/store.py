"""What tickets keeps, and what is asked of where it is kept; nothing here decides."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from services.tickets.domain.contacts import People
from services.tickets.domain.facts import Absence
from services.tickets.domain.ticket import Ticket
from services.tickets.mail_commands.drafts import Draft
from shared.contracts.ticket import TicketEvent
from shared.contracts.ticket_state import Message, Status
from shared.mongo import (
    Document,
)

Party = tuple[str, str]
"""A ticket and somebody who is written to about it."""

OPEN: tuple[Status, ...] = ("new", "open", "pending", "on-hold")


@dataclass(frozen=True, slots=True)
class Versioned:
    """A ticket as it was loaded; ``order`` is that of its last event in the outbox."""

    ticket: Ticket
    order: int


@dataclass(frozen=True, slots=True)
class SentText:
    """The text of a mail that was sent; ``ids`` are its Message-IDs, ours and the relay's."""

    ids: frozenset[str]
    party: Party
    text: str


@dataclass
class Changes:
    """What one batch stores, all of it or nothing.

    ``loaded`` has the seq of each changed ticket as it was read, 0 for a new one; ``records`` the
    events of the rows, by their ids.
    """

    at: datetime
    handled: list[str] = field(default_factory=list)
    tickets: list[Document] = field(default_factory=list)
    loaded: Mapping[str, int] = field(default_factory=dict)
    events: list[Document] = field(default_factory=list)
    records: dict[str, TicketEvent] = field(default_factory=dict)
    messages: list[Document] = field(default_factory=list)
    reread: list[Document] = field(default_factory=list)
    outbox: list[Document] = field(default_factory=list)
    drafts: list[Document] = field(default_factory=list)
    absences: dict[str, Document] = field(default_factory=dict)
    bars: dict[str, Document] = field(default_factory=dict)


class Store(Protocol):
    """What the handlers need; `MongoStore` is the real one."""

    async def handled(self, ids: Collection[str]) -> set[str]:
        """Those records that were handled already."""
        ...

    async def owners(self, message_ids: Collection[str]) -> dict[str, str]:
        """Ticket ids by the Message-IDs of stored messages and of mails sent."""
        ...

    async def unreadable(self, inbound_ids: Collection[str]) -> dict[str, tuple[str, int]]:
        """Ticket and number of the messages of these mails that could not be read."""
        ...

    async def tickets(self, ids: Collection[str]) -> dict[str, Versioned]:
        """Those that exist."""
        ...

    async def drafts(self, ticket_ids: Collection[str]) -> list[Draft]:
        """The drafts of these tickets that are held."""
        ...

    async def people(self, addresses: Collection[str]) -> People:
        """Contacts with these addresses, and accounts of their domains."""
        ...

    async def open_loads(self, agents: Collection[str]) -> dict[str, int]:
        """How many tickets that are not done each of these agents has."""
        ...

    async def assigned_to(
        self, agent: str, statuses: Collection[Status], limit: int
    ) -> dict[str, Versioned]:
        """Some tickets in these statuses that the agent has, by their ids."""
        ...

    async def absences(self, agents: Collection[str]) -> dict[str, Absence]:
        """What each of these agents last said of being away."""
        ...

    async def barred(self, names: Collection[str]) -> set[str]:
        """Those addresses and domains that are barred."""
        ...

    async def handed_over(self, names: Collection[str]) -> set[str]:
        """Those absences whose tickets were handed over."""
        ...

    async def note_handed_over(self, name: str, until: datetime) -> None:
        """Remember that the tickets of an absence, which lasts until then, were handed over."""
        ...

    async def claim_numbers(self, count: int) -> list[int]:
        """That many fresh ticket numbers; gaps are fine."""
        ...

    async def claim_slots(self, wanted: Mapping[str, str], now: datetime) -> dict[str, int]:
        """Turns in rotations for {what it is for: team}; asked again, the same turn."""
        ...

    async def commit(self, changes: Changes) -> None:
        """Store all; raises `TransientError` where somebody else was faster."""
        ...

    async def conversation(self, ticket_id: str) -> tuple[list[Message], list[TicketEvent]]:
        """All messages and events of a ticket, in order."""
        ...

    async def note_sent(self, rows: Sequence[Document]) -> None:
        """Remember mails that were sent; the same again changes nothing."""
        ...

    async def sent_texts(
        self, message_ids: Collection[str], parties: Collection[Party]
    ) -> list[SentText]:
        """The texts of mails sent with these ids, and to these parties, the newest first."""
        ...

    async def keep_directory(self, entries: Mapping[str, Document | None]) -> None:
        """Replace entries by key; None deletes."""
        ...
