"""A ticket in the middle of a decision: what has happened so far, and what is true after it."""

from typing import Any

from services.tickets.domain.built import built
from services.tickets.domain.evolve import evolve
from services.tickets.domain.facts import Facts
from services.tickets.domain.ticket import Ticket
from shared.contracts.ticket import TicketEvent
from shared.contracts.ticket_state import Message, TicketState


class Story:
    """Collects the events of one decision; throw it away and nothing has happened."""

    def __init__(self, ticket: Ticket | None, facts: Facts, by: str) -> None:
        self._ticket = ticket
        self.facts = facts
        self._by = by
        self.events: list[TicketEvent] = []
        self.messages: list[Message] = []

    @property
    def ticket(self) -> Ticket:
        """After the last event."""
        if self._ticket is None:
            raise LookupError("the ticket is not opened yet")
        return self._ticket

    @property
    def state(self) -> TicketState:
        """The public part of it."""
        return self.ticket.state

    def open(self, kind: type[TicketEvent], state: TicketState, **data: Any) -> None:
        """Begin a ticket with its first event."""
        event = self._event(kind, 1, state, {"ticket_id": state.ticket_id, **data})
        self._ticket = evolve(None, event)
        self.events.append(event)

    def tell(
        self, kind: type[TicketEvent], *, by: str = "", changes: Any = None, **data: Any
    ) -> None:
        """Add the event with the state after it; ``changes`` go straight into the state."""
        before = self.ticket
        state = before.state.model_copy(update=changes) if changes else before.state
        data["ticket_id"] = before.id
        if by:
            data["by"] = by
        draft = self._event(kind, before.seq + 1, state, data)
        self._ticket = evolve(before, draft)
        event = draft.model_copy(update={"state": self._ticket.state})
        self.events.append(event)
        if isinstance(message := data.get("message"), Message):
            self.messages.append(message)

    def _event(
        self, kind: type[TicketEvent], seq: int, state: TicketState, data: dict[str, Any]
    ) -> TicketEvent:
        given = {"by": self._by, **data}
        return built(
            kind,
            seq=seq,
            at=self.facts.now,
            configuration=self.facts.digest,
            state=state,
            **given,
        )
