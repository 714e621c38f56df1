"""From a ticket and an event to the next ticket; the same events always give the same ticket."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from services.tickets.domain.ticket import REMEMBERED_REPLIES, Ticket
from shared.contracts import ticket as contract
from shared.contracts.ticket import TicketEvent
from shared.variants import but

Changes = dict[str, Any]


def evolve(ticket: Ticket | None, event: TicketEvent) -> Ticket:
    """Give the ticket after ``event``; of the event's own ``state`` only an opening's is read."""
    if ticket is None:
        people = {event.state.requester, *event.state.followers}
        return Ticket(state=event.state, participants=frozenset(people))
    private, public = _CHANGES[type(event)](ticket, event)
    state = ticket.state.model_copy(update={**public, "seq": event.seq, "updated_at": event.at})
    return _with_lock_moved(but(ticket, state=state, **private), event)


def _with_lock_moved(ticket: Ticket, event: TicketEvent) -> Ticket:
    """Each act of a lock's holder moves the lock's end."""
    holder = ticket.state.locked_by
    if not holder or not ticket.lock_idle_s or event.by != f"agent:{holder}":
        return ticket
    until = event.at + timedelta(seconds=ticket.lock_idle_s)
    return but(ticket, state=ticket.state.model_copy(update={"locked_until": until}))


def _message(ticket: Ticket, event: contract.MessageAdded) -> tuple[Changes, Changes]:
    message, state = event.message, ticket.state
    private: Changes = {}
    if not message.automated:
        private["last_wrote"] = {**ticket.last_wrote, message.author: event.seq}
    if event.questions:
        private["asked"] = tuple(event.questions)
    public: Changes = {"messages": max(state.messages, message.number)}
    if message.kind == "public" and message.direction == "out":
        times = (*ticket.reply_times, message.accepted_at)
        private["reply_times"] = times[-REMEMBERED_REPLIES:]
        if state.first_response_at is None:
            public["first_response_at"] = message.accepted_at
    if message.direction == "in" and not message.automated and message.from_addr:
        followers = [a for a in event.state.followers if a not in state.followers]
        public["followers"] = [*state.followers, *followers]
        private["participants"] = ticket.participants | {message.from_addr, *followers}
    return private, public


def _held(ticket: Ticket, event: contract.MailHeld) -> tuple[Changes, Changes]:
    return {}, {"messages": max(ticket.state.messages, event.message.number)}


def _reread(ticket: Ticket, event: contract.MessageReread) -> tuple[Changes, Changes]:
    message = event.message
    known = {message.from_addr} if message.from_addr and not message.automated else set()
    return {"participants": ticket.participants | known}, {}


def _assigned(_: Ticket, event: contract.TicketAssigned) -> tuple[Changes, Changes]:
    return {}, {"assignee": event.assignee}


def _team(_: Ticket, event: contract.TeamChanged) -> tuple[Changes, Changes]:
    return {}, {"team": event.team}


def _lock(_: Ticket, event: contract.LockChanged) -> tuple[Changes, Changes]:
    return {"lock_idle_s": event.idle_s}, {"locked_by": event.locked_by, "locked_until": None}


def _status(_: Ticket, event: contract.StatusChanged) -> tuple[Changes, Changes]:
    rests = event.status == "on-hold"
    return {}, {"status": event.status} | ({} if rests else {"delayed_until": None})


def _resolved(ticket: Ticket, event: contract.TicketResolved) -> tuple[Changes, Changes]:
    accepted_at = event.accepted_at or event.at
    by = {**ticket.resolved_by, event.cycle: ticket.state.assignee or event.by.partition(":")[2]}
    private: Changes = {
        "cycle": event.cycle,
        "resolved_by": by,
        "is_survey_asked": event.survey_asked,
    }
    public: Changes = {"status": "resolved", "resolved_at": accepted_at, "delayed_until": None}
    if event.summary and ticket.state.first_response_at is None:
        public["first_response_at"] = accepted_at
    return private, public


def _closed(ticket: Ticket, event: contract.TicketClosed) -> tuple[Changes, Changes]:
    ended_at = event.accepted_at or event.at
    resolved_at = ticket.state.resolved_at or ended_at
    done = {"status": "closed", "closed_at": ended_at, "resolved_at": resolved_at}
    return {}, {**done, "delayed_until": None}


def _reopened(_: Ticket, __: contract.TicketReopened) -> tuple[Changes, Changes]:
    return {}, {"status": "open", "resolved_at": None, "closed_at": None}


def _field(_: Ticket, event: contract.FieldChanged) -> tuple[Changes, Changes]:
    if event.field == "estimate":
        return {}, {"estimate_at": event.state.estimate_at}
    return {}, {event.field: event.value}


def _contact(ticket: Ticket, event: contract.ContactLinked) -> tuple[Changes, Changes]:
    known = event.state
    private: Changes = {"participants": ticket.participants | {known.requester}}
    return private, {
        "contact_id": known.contact_id,
        "account_id": known.account_id,
        "unknown_contact": False,
    }


def _followers(ticket: Ticket, event: contract.FollowersChanged) -> tuple[Changes, Changes]:
    state, fresh, gone = ticket.state, {*event.added, *event.blind}, set(event.removed)
    moved = fresh | gone
    private: Changes = {
        "participants": ticket.participants - gone | fresh,
        "taken_out": ticket.taken_out - fresh | gone,
    }
    return private, {
        "followers": [*(a for a in state.followers if a not in moved), *event.added],
        "blind_followers": [*(a for a in state.blind_followers if a not in moved), *event.blind],
    }


def _survey(ticket: Ticket, event: contract.SurveyAnswered) -> tuple[Changes, Changes]:
    private: Changes = {"ratings": {**ticket.ratings, event.cycle: event.survey}}
    return private, {"survey": event.survey} if event.cycle == ticket.cycle else {}


def _answers(ticket: Ticket, event: contract.QuestionsAnswered) -> tuple[Changes, Changes]:
    return {}, {"fields": [*ticket.state.fields, *event.answers]}


def _clocks(ticket: Ticket, event: contract.ClocksUpdated) -> tuple[Changes, Changes]:
    private: Changes = {"clocks_seq": max(ticket.clocks_seq, event.ticket_seq)}
    return private, {"clocks": event.state.clocks}


def _breached(ticket: Ticket, event: contract.SLABreached) -> tuple[Changes, Changes]:
    return {"breached": {**ticket.breached, f"{event.target}.{event.cycle}": event.due_at}}, {}


def _withdrawn(ticket: Ticket, event: contract.SLABreachWithdrawn) -> tuple[Changes, Changes]:
    clock = f"{event.target}.{event.cycle}"
    breached = {name: due_at for name, due_at in ticket.breached.items() if name != clock}
    causes = ticket.escalated_by - {clock}
    return {"breached": breached, "escalated_by": causes}, {"escalated": bool(causes)}


def _escalated(ticket: Ticket, event: contract.TicketEscalated) -> tuple[Changes, Changes]:
    cause = f"{event.target}.{event.cycle}" if event.target else ""
    return {"escalated_by": ticket.escalated_by | {cause}}, {"escalated": True}


def _delayed(_: Ticket, event: contract.TicketDelayed) -> tuple[Changes, Changes]:
    return {}, {"delayed_until": event.until}


def _returned(_: Ticket, __: contract.TicketReturned) -> tuple[Changes, Changes]:
    return {}, {"delayed_until": None}


def _linked(ticket: Ticket, event: contract.TicketLinked) -> tuple[Changes, Changes]:
    return {}, {"linked": [*ticket.state.linked, event.other]}


def _draft(_: Ticket, event: contract.DraftHeld) -> tuple[Changes, Changes]:
    return {"drafts": event.draft_number}, {}


def _nothing(_: Ticket, __: TicketEvent) -> tuple[Changes, Changes]:
    return {}, {}


_CHANGES: dict[type[TicketEvent], Callable[[Ticket, Any], tuple[Changes, Changes]]] = {
    contract.MessageAdded: _message,
    contract.MailHeld: _held,
    contract.MessageReread: _reread,
    contract.TicketAssigned: _assigned,
    contract.TeamChanged: _team,
    contract.LockChanged: _lock,
    contract.StatusChanged: _status,
    contract.TicketResolved: _resolved,
    contract.TicketClosed: _closed,
    contract.TicketReopened: _reopened,
    contract.FieldChanged: _field,
    contract.ContactLinked: _contact,
    contract.FollowersChanged: _followers,
    contract.SurveyAnswered: _survey,
    contract.QuestionsAnswered: _answers,
    contract.ClocksUpdated: _clocks,
    contract.SLAWarned: _nothing,
    contract.SLABreached: _breached,
    contract.SLABreachWithdrawn: _withdrawn,
    contract.TicketDelayed: _delayed,
    contract.TicketReturned: _returned,
    contract.TicketEscalated: _escalated,
    contract.TicketLinked: _linked,
    contract.SenderBarred: _nothing,
    contract.SenderLimited: _nothing,
    contract.SenderAdmitted: _nothing,
    contract.DraftHeld: _draft,
    contract.DeliveryNoted: _nothing,
    contract.AddressLifted: _nothing,
}
