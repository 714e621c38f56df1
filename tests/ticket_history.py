"""The events of one ticket as tickets would publish them, told step by step."""

from datetime import UTC, datetime
from typing import Any

from shared.bus import Received
from shared.contracts import ticket as events
from shared.contracts.base import Meta


def at(text: str) -> datetime:
    """``2026-11-20 09:00`` in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class History:
    """Each step gives its event; ``events`` has all of them."""

    def __init__(
        self, opened: str = "2026-11-20 09:00", *, ticket_id: str = "T-1", **state: Any
    ) -> None:
        self.events: list[events.TicketEvent] = []
        self._seq = 0
        self._state: dict[str, Any] = {
            "ticket_id": ticket_id,
            "subject": "No dial tone",
            "status": "new",
            "priority": "normal",
            "mailbox": "support@desk.example",
            "requester": "emma@harbour-bakery.example",
            "account_id": "A-100",
            "team": "support",
            "opened_at": at(opened),
            **state,
        }
        self.opened = self.happens(
            events.TicketOpened, opened, by="customer:emma@harbour-bakery.example"
        )

    def happens(
        self, kind: type[Any], when: str, *, by: str = "agent:ana@x.example", **fields: Any
    ) -> Any:
        state = fields.pop("state", {})
        self._seq += 1
        self._state |= {"seq": self._seq, "updated_at": at(when), **state}
        event = kind.model_validate(
            {
                "ticket_id": self._state["ticket_id"],
                "seq": self._seq,
                "at": at(when),
                "by": by,
                "state": self._state,
                **fields,
            }
        )
        self.events.append(event)
        return event

    def message(
        self,
        when: str,
        *,
        author: str,
        direction: str,
        state: Any = None,
        event: Any = None,
        **fields: Any,
    ) -> Any:
        number = self._state.get("messages", 0) + 1
        message = {
            "number": number,
            "kind": "public",
            "direction": direction,
            "author": author,
            "at": at(when),
            "accepted_at": at(when),
            **fields,
        }
        return self.happens(
            events.MessageAdded,
            when,
            by=author,
            message=message,
            state={"messages": number, **(state or {})},
            **(event or {}),
        )

    def customer_writes(self, when: str, **fields: Any) -> Any:
        return self.message(
            when, author="customer:emma@harbour-bakery.example", direction="in", **fields
        )

    def agent_answers(self, when: str, agent: str = "ana@x.example", **fields: Any) -> Any:
        first = self._state.get("first_response_at") or fields.get("accepted_at") or at(when)
        state = {"first_response_at": first, "status": "open", **fields.pop("state", {})}
        return self.message(when, author=f"agent:{agent}", direction="out", state=state, **fields)

    def status(self, when: str, status: str) -> Any:
        previous = self._state["status"]
        return self.happens(
            events.StatusChanged, when, status=status, previous=previous, state={"status": status}
        )

    def resolved(self, when: str, agent: str = "ana@x.example", **fields: Any) -> Any:
        state = {"status": "resolved", "resolved_at": at(when)}
        return self.happens(events.TicketResolved, when, by=f"agent:{agent}", state=state, **fields)

    def reopened(self, when: str, reason: str = "customer") -> Any:
        state = {"status": "open", "resolved_at": None}
        return self.happens(events.TicketReopened, when, reason=reason, state=state)

    def closed(self, when: str) -> Any:
        return self.happens(
            events.TicketClosed, when, state={"status": "closed", "closed_at": at(when)}
        )

    def priority(self, when: str, value: str) -> Any:
        previous = self._state["priority"]
        return self.happens(
            events.FieldChanged,
            when,
            field="priority",
            value=value,
            previous=previous,
            state={"priority": value},
        )

    def assigned(self, when: str, agent: str | None, reason: str = "rotation") -> Any:
        return self.happens(
            events.TicketAssigned, when, assignee=agent, reason=reason, state={"assignee": agent}
        )


def received(*told: events.TicketEvent, topic: str = "ticket-events") -> list[Received[Any]]:
    """The records as the bus gives them to a handler."""
    return [
        Received(
            record=event,
            meta=Meta(
                id=f"{event.ticket_id}.{event.seq}", source="postdesk/tickets", time=event.at
            ),
            topic=topic,
            partition=0,
            offset=index,
            key=event.ticket_id,
        )
        for index, event in enumerate(told)
    ]
