"""Compares what was sent, what the desk holds and what it sent itself; says all that is wrong.

Pure. What ought to have been sent is worked out here from the tickets' events alone.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from shared.config.models import Desk
from shared.contracts.ticket import (
    MailHeld,
    Message,
    MessageAdded,
    SLABreached,
    SLAWarned,
    TicketAssigned,
    TicketEscalated,
    TicketEvent,
    TicketReopened,
    TicketResolved,
)
from tests.actors.mails import Mail
from tests.actors.sink import Delivery

OWN_ACTS = {"take", "reply", "release"}


@dataclass(frozen=True)
class Evidence:
    """All that is known at the end. ``inbound``: (mail id, mailbox) by ingest's id."""

    accepted: Sequence[Mail]
    inbound: Mapping[str, tuple[str, str]]
    events: Sequence[TicketEvent]
    taken: Sequence[Delivery]
    desk: Desk
    published: frozenset[str] = field(default_factory=frozenset)
    """Ids of the records on ``ticket-events``."""


def verdict(found: Evidence) -> list[str]:
    """Everything that is missing, too much or out of order, one line each; empty is innocent."""
    return [
        *_messages(found),
        *_order(found),
        *_publishing(found),
        *_mails_to_customers(found),
        *_notices(found),
        *_repeats(found),
        *_answers_to_machines(found),
    ]


def _messages(found: Evidence) -> Iterator[str]:
    """Every accepted mail is exactly one message per mailbox, and nothing else is one."""
    held: Counter[tuple[str, str]] = Counter()
    tickets: dict[tuple[str, str], set[str]] = defaultdict(set)
    for event, message in _arrived(found.events):
        key = found.inbound.get(message.inbound_id)
        if key is None:
            yield f"too much: {event.ticket_id} seq {event.seq} holds unknown {message.inbound_id}"
            continue
        held[key] += 1
        tickets[key].add(event.ticket_id)
    wanted = {(mail.id, _mailbox(r)): mail for mail in found.accepted for r in mail.recipients}
    for key, mail in wanted.items():
        name = f"{mail.kind} {mail.id} for {key[1]}"
        if held[key] != 1:
            what = "missing" if not held[key] else f"{held[key]} times ({sorted(tickets[key])})"
            yield f"{what}: {name}"
        elif mail.ticket_id and tickets[key] != {mail.ticket_id}:
            yield f"wrong ticket {sorted(tickets[key])}: {name} belongs to {mail.ticket_id}"
    for key in held.keys() - wanted.keys():
        yield f"too much: a message of mail {key[0]} for {key[1]} that was never accepted"


def _arrived(events: Sequence[TicketEvent]) -> Iterator[tuple[TicketEvent, Message]]:
    for event in events:
        if isinstance(event, MessageAdded | MailHeld) and event.message.inbound_id:
            yield event, event.message


def _mailbox(recipient: str) -> str:
    local, _, domain = recipient.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _order(found: Evidence) -> Iterator[str]:
    """A ticket's events are numbered 1, 2, 3 … without gap or repeat."""
    for ticket_id, events in _by_ticket(found.events).items():
        numbers = [event.seq for event in events]
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"seq of {ticket_id} is {numbers}"


def _publishing(found: Evidence) -> Iterator[str]:
    """The topic has what the store has."""
    stored = {f"{event.ticket_id}.{event.seq}" for event in found.events}
    for event_id in sorted(stored - found.published):
        yield f"not published: {event_id}"
    for event_id in sorted(found.published - stored):
        yield f"too much on the topic: {event_id}"


def _mails_to_customers(found: Evidence) -> Iterator[str]:
    """One acknowledgement per ticket and sender, each answer to everybody whom it is for."""
    agents = found.desk.agents_by_address
    sent: dict[tuple[str, str], set[str]] = defaultdict(set)
    for mail in found.taken:
        if mail.recipient not in agents:
            sent[mail.header("X-Postdesk-Event"), mail.recipient].add(mail.message_id)
    expected = dict(_expected_by_customers(found))
    for key, kind in expected.items():
        if len(sent[key]) != 1:
            yield f"{len(sent[key])} instead of one {kind} of {key[0]} to {key[1]}"
    for key in sent.keys() - expected.keys():
        yield f"too much: mail of {key[0] or 'nothing'} to {key[1]}"


def _expected_by_customers(found: Evidence) -> Iterator[tuple[tuple[str, str], str]]:
    acknowledged: set[tuple[str, str]] = set()
    for event in _in_order(found.events):
        name = f"{event.ticket_id}.{event.seq}"
        if isinstance(event, MessageAdded) and event.message.direction == "in":
            sender = event.message.from_addr.lower()
            is_first = (event.ticket_id, sender) not in acknowledged
            if event.acknowledge and is_first and sender not in found.desk.agents_by_address:
                acknowledged.add((event.ticket_id, sender))
                yield (name, sender), "acknowledgement"
        elif _is_answer(event):
            for person in {event.state.requester, *event.state.followers}:
                yield (name, person.lower()), "answer"


def _is_answer(event: TicketEvent) -> bool:
    if isinstance(event, MessageAdded):
        return event.message.direction == "out" and event.message.kind == "public"
    return isinstance(event, TicketResolved) and not event.answered


def _notices(found: Evidence) -> Iterator[str]:
    """An agent is told of all that concerns them, in at most as many mails as there is news."""
    news: dict[tuple[str, str], list[TicketEvent]] = defaultdict(list)
    for event in _in_order(found.events):
        for agent in _told(event, found.desk):
            news[event.ticket_id, agent].append(event)
    sent: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for mail in found.taken:
        if mail.recipient in found.desk.agents_by_address:
            ticket_id = mail.header("X-Postdesk-Event").rpartition(".")[0]
            sent[ticket_id, mail.recipient].setdefault(mail.message_id, mail.at)
    for (ticket_id, agent), events in news.items():
        mails = sent.pop((ticket_id, agent), {})
        latest = max(event.at.timestamp() for event in events)
        if not mails or max(mails.values()) < latest:
            yield f"missing: notice of {ticket_id} to {agent} about {events[-1].type}"
        elif len(mails) > len(events):
            yield f"too much: {len(mails)} notices of {ticket_id} to {agent}, news: {len(events)}"
    for ticket_id, agent in sent:
        yield f"too much: notice of {ticket_id or 'nothing'} to {agent}"


def _told(event: TicketEvent, desk: Desk) -> set[str]:
    told: set[str] = set()
    match event:
        case TicketAssigned(assignee=str() as assignee) if event.reason not in OWN_ACTS:
            told = {assignee}
        case MessageAdded(message=Message(direction="in", kind="public", number=number)):
            told = _responsible(event, desk) if number > 1 else set()
        case MailHeld() | SLAWarned() | SLABreached() | TicketReopened(reason="agent" | "system"):
            told = _responsible(event, desk)
        case TicketEscalated():
            told = set(event.to)
    actor = event.by.partition(":")[2].lower()
    return {agent.lower() for agent in told} - {actor}


def _responsible(event: TicketEvent, desk: Desk) -> set[str]:
    team = desk.teams_by_name.get(event.state.team)
    who = event.state.assignee or (team.members[0] if team else None)
    return {who} if who else set()


def _repeats(found: Evidence) -> Iterator[str]:
    """The same mail again has the same Message-ID and the same bytes."""
    first: dict[str, Delivery] = {}
    for mail in found.taken:
        if not mail.message_id:
            yield f"a mail to {mail.recipient} has no Message-ID"
            continue
        other = first.setdefault(mail.message_id, mail)
        if (other.raw, other.recipient) != (mail.raw, mail.recipient):
            yield f"{mail.message_id} came twice with different bytes"


def _answers_to_machines(found: Evidence) -> Iterator[str]:
    machines = {mail.sender for mail in found.accepted if mail.kind == "auto-reply"}
    for mail in found.taken:
        if mail.recipient in machines:
            yield f"{mail.recipient} wrote automatically and was answered: {mail.message_id}"


def _by_ticket(events: Sequence[TicketEvent]) -> dict[str, list[TicketEvent]]:
    tickets: dict[str, list[TicketEvent]] = defaultdict(list)
    for event in _in_order(events):
        tickets[event.ticket_id].append(event)
    return tickets


def _in_order(events: Sequence[TicketEvent]) -> list[TicketEvent]:
    return sorted(events, key=lambda event: (event.ticket_id, event.seq))
