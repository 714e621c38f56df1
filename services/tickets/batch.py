"""The tickets that a batch of records touches: loaded once, changed in memory, stored at once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from services.tickets import documents
from services.tickets.documents import Cause
from services.tickets.domain.contacts import People
from services.tickets.domain.facts import Absence, Facts
from services.tickets.domain.opening import asked_by
from services.tickets.domain.routing_rules import Route, route
from services.tickets.domain.story import Story
from services.tickets.domain.ticket import Ticket
from services.tickets.mail_commands.drafts import Draft
from services.tickets.store import Changes, Versioned
from shared.contracts.base import Record
from shared.contracts.mail import MailReceived
from shared.contracts.ticket import (
    MessageReread,
    SenderAdmitted,
    SenderBarred,
    SenderLimited,
    TicketAssigned,
    TicketEvent,
)
from shared.contracts.ticket_state import Message
from shared.contracts.topics import Topic


class Batch:
    """Sees every change that an earlier record of the batch made; `changes` is what to store."""

    def __init__(
        self,
        facts: Facts,
        *,
        tickets: Mapping[str, Versioned],
        owners: Mapping[str, str] | None = None,
        own_ticket_of: Callable[[str], str | None] = lambda _: None,
        people: People | None = None,
        drafts: Iterable[Draft] = (),
    ) -> None:
        self.facts = facts
        self.people = people or People()
        self._loaded = {name: one.ticket.seq for name, one in tickets.items()}
        self._tickets = {name: one.ticket for name, one in tickets.items()}
        self._orders = {name: one.order for name, one in tickets.items()}
        self._owners = dict(owners or {})
        self._own_ticket_of = own_ticket_of
        self._drafts = {draft.id: draft for draft in drafts}
        self._changed: set[str] = set()
        self._routes: dict[str, Route] = {}
        self._changed_drafts: dict[str, Draft] = {}
        self._changes = Changes(at=facts.now)

    def ticket(self, ticket_id: str) -> Ticket | None:
        """The ticket after all earlier records of the batch."""
        return self._tickets.get(ticket_id)

    def route_of(self, mail: MailReceived) -> Route:
        """What the rules of routing say of a mail that opens a ticket."""
        if mail.inbound_id not in self._routes:
            asked = asked_by(mail, self.people.who(mail.from_addr), self.facts)
            self._routes[mail.inbound_id] = route(asked, self.facts.desk)
        return self._routes[mail.inbound_id]

    def owner_of(self, message_id: str) -> str | None:
        """The ticket that a Message-ID belongs to."""
        return self._own_ticket_of(message_id) or self._owners.get(message_id)

    def draft(self, ticket_id: str, agent: str, number: int | None) -> Draft | None:
        """The agent's draft with that number, or the latest one that is held."""
        if number is not None:
            return self._drafts.get(f"{ticket_id}:{agent}:{number}")
        held = [d for d in self._drafts.values() if (d.ticket_id, d.agent) == (ticket_id, agent)]
        held = [draft for draft in held if draft.is_open(self.facts.now)]
        return max(held, key=lambda draft: draft.number, default=None)

    def mark(self, name: str) -> None:
        """Note that a record is handled."""
        self._changes.handled.append(name)

    def keep(self, story: Story, cause: Cause) -> None:
        """Take what happened: ticket, events and messages."""
        if not story.events:
            return
        ticket = story.ticket
        order = max(self._orders.get(ticket.id, 0), _micros(self.facts.now))
        for event in story.events:
            order += 1
            fitted = documents.fitted(event)
            row = documents.event_row(fitted, cause, order)
            self._changes.events.append(row)
            self._changes.records[row["_id"]] = fitted
            if isinstance(event, SenderBarred | SenderLimited | SenderAdmitted):
                self._note_bar(event)
            if isinstance(event, TicketAssigned) and event.assignee in self.facts.loads:
                self.facts.loads[event.assignee] += 1
        self._orders[ticket.id] = order
        self._tickets[ticket.id] = ticket
        self._changed.add(ticket.id)
        again = {e.message.number for e in story.events if isinstance(e, MessageReread)}
        for message in story.messages:
            name = f"{ticket.id}.m{message.number}"
            if message.number in again:
                self._changes.reread.append(documents.message_document(message, ticket.id, name))
            else:
                self.file(message, ticket.id, name)

    def _note_bar(self, event: SenderBarred | SenderLimited | SenderAdmitted) -> None:
        """Take what an agent wants of a sender's mail; it holds for the rest of the batch."""
        self._changes.bars[event.sender] = documents.bar_document(event)
        if isinstance(event, SenderBarred):
            self.facts.barred.add(event.sender)
        else:
            self.facts.barred.discard(event.sender)

    def file(self, message: Message, ticket_id: str | None, name: str) -> None:
        """Add an entry to a conversation, or to none."""
        self._changes.messages.append(documents.message_document(message, ticket_id, name))
        if message.message_id and ticket_id:
            self._owners[message.message_id] = ticket_id

    def pending(self, ticket_id: str) -> tuple[list[Message], list[TicketEvent]]:
        """What this batch adds to a ticket's conversation and timeline."""
        messages = [d for d in self._changes.messages if d["ticket_id"] == ticket_id]
        rows = [row for row in self._changes.events if row["ticket_id"] == ticket_id]
        return [Message.model_validate(d) for d in messages if d["number"]], [
            documents.event_of(row) for row in rows
        ]

    def keep_drafts(self, drafts: Sequence[Draft]) -> None:
        """Store new drafts and what became of old ones."""
        for draft in drafts:
            self._drafts[draft.id] = self._changed_drafts[draft.id] = draft

    def note_absence(self, absence: Absence) -> None:
        """Take what an agent says of being away; older words than what is known are nothing."""
        known = self.facts.absences.get(absence.agent)
        if known is None or known.said_at <= absence.said_at:
            self.facts.absences[absence.agent] = absence
            self._changes.absences[absence.agent] = documents.absence_document(absence)

    def send(self, record: Record, *, topic: Topic, key: str, name: str, cause: Cause) -> None:
        """Put a record for another topic into the outbox."""
        rows = self._changes.outbox
        order = _micros(self.facts.now) + len(rows)
        rows.append(
            documents.outbox_row(
                record,
                topic=topic,
                key=key,
                name=name,
                cause=cause,
                at=self.facts.now,
                order=order,
            )
        )

    def changes(self) -> Changes:
        """All that is to be stored."""
        changes = self._changes
        # All events of a batch are published together, so its tickets go on from one number.
        last = max((self._orders[name] for name in self._changed), default=0)
        changes.tickets = [
            documents.ticket_document(self._tickets[name], last) for name in sorted(self._changed)
        ]
        changes.loaded = {name: self._loaded.get(name, 0) for name in self._changed}
        changes.drafts = [
            documents.draft_document(draft) for draft in self._changed_drafts.values()
        ]
        return changes


def _micros(moment: datetime) -> int:
    return int(moment.timestamp() * 1000) * 1000
