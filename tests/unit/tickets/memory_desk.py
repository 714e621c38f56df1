"""The rules of tickets over plain values: each mail is a batch of its own, nothing is stored."""

from datetime import datetime
from typing import Any

from services.tickets import documents, mails
from services.tickets.batch import Batch
from services.tickets.commands import Claim, decide_command
from services.tickets.documents import Cause
from services.tickets.domain.contacts import People
from services.tickets.domain.decide_clock import decide_clock
from services.tickets.domain.facts import Absence, Facts
from services.tickets.domain.order import Decision
from services.tickets.domain.ticket import Ticket
from services.tickets.store import Versioned
from shared.contracts.commands import TicketCommand
from shared.contracts.mail import MailReceived
from shared.contracts.ticket import TicketEvent
from shared.contracts.ticket_state import Message, TicketState
from tests.builders import NOON, a_contact, a_desk, an_address_book

BOOK = an_address_book()


class MemoryDesk:
    """Keeps what the rules say, as the store would."""

    def __init__(self) -> None:
        self.config = a_desk()
        self.now = NOON
        self.people = People([a_contact()])
        self.events: list[TicketEvent] = []
        self.messages: list[Message] = []
        self.requests: list[Any] = []
        self.barred: set[str] = set()
        self.absences: dict[str, Absence] = {}
        self.drafts: dict[str, Any] = {}
        self._tickets: dict[str, Versioned] = {}
        self._owners: dict[str, str] = {}
        self._numbers = 0

    def receive(self, mail: MailReceived) -> list[str]:
        """File or run one mail; gives the types of its events without their common prefix."""
        batch = self._batch()
        placement = mails.placement_of(batch, mail)
        cause = Cause(mail.inbound_id, mail.inbound_id)
        if placement.course in mails.AGENT_COURSES:
            mails.run_by_agent(batch, mail, placement, cause, 0)
        else:
            claim = None
            if mails.opens_ticket(placement):
                claim = (f"T-{self._numbers + 1}", self._numbers)
                self._numbers += 1
            mails.file_by_customer(batch, mail, placement, cause, claim)
        return self._take(batch)

    def command(self, command: TicketCommand) -> Decision:
        """Run a typed command on T-1."""
        batch = self._batch()
        decision = decide_command(self.ticket(), command, Claim(), batch.facts)
        if decision.is_accepted:
            batch.keep(decision.story, Cause("c", "c"))
            self._take(batch)
        return decision

    def clock(self, news: Any) -> list[str]:
        """Hear sla's news about T-1."""
        batch = self._batch()
        batch.keep(decide_clock(self.ticket(), news, batch.facts), Cause("s", "s"))
        return self._take(batch)

    def ticket(self, ticket_id: str = "T-1") -> Ticket:
        """A ticket as it is now."""
        return self._tickets[ticket_id].ticket

    def state(self, ticket_id: str = "T-1") -> TicketState:
        """Its public part."""
        return self.ticket(ticket_id).state

    def last(self, kind: type[Any]) -> Any:
        """The latest event of a kind."""
        return next(event for event in reversed(self.events) if isinstance(event, kind))

    def at(self, moment: datetime) -> "MemoryDesk":
        """Move the time."""
        self.now = moment
        return self

    def _batch(self) -> Batch:
        return Batch(
            Facts(self.now, self.config, "digest", absences=self.absences, barred=self.barred),
            tickets=self._tickets,
            owners=self._owners,
            own_ticket_of=BOOK.ticket_of,
            people=self.people,
            drafts=list(self.drafts.values()),
        )

    def _take(self, batch: Batch) -> list[str]:
        changes = batch.changes()
        fresh = [documents.event_of(row) for row in changes.events]
        self.events += fresh
        for row in changes.tickets:
            self._tickets[row["_id"]] = Versioned(documents.ticket_of(row), row["order"])
        for row in changes.messages:
            message = Message.model_validate({**row, "number": row["number"] or 1})
            self.messages.append(message)
            if message.message_id and row["ticket_id"]:
                self._owners[message.message_id] = row["ticket_id"]
        self.requests += [documents.outbox_outgoing(row).record for row in changes.outbox]
        for row in changes.drafts:
            self.drafts[row["_id"]] = documents.draft_of(row)
        return [event.type.removeprefix("ticket.") for event in fresh]
