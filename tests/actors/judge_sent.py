"""J8 and J9: what the desk sent; what it ought to is worked out here from the events alone."""

from collections import defaultdict
from collections.abc import Iterator

from shared.config.models import Desk
from shared.contracts.ticket import (
    DeliveryNoted,
    MailHeld,
    MessageAdded,
    SLABreached,
    SLAWarned,
    TicketAssigned,
    TicketEscalated,
    TicketEvent,
    TicketReopened,
    TicketResolved,
)
from shared.contracts.ticket_state import Message
from tests.actors.books import Evidence, in_order
from tests.actors.sink import Delivery

OWN_ACTS = {"take", "reply", "release"}
MACHINES = {"auto-reply", "list", "bounce"}
"""Kinds of mail that nobody wrote by hand."""
NOTIFY_IN_HAND_S = 60.0
"""A mail that notify had in hand when something happened to it is sent again within that time."""
TOUCHES_SENDING = ("notify", "mongo", "relay")


def sent_as_expected(found: Evidence) -> Iterator[str]:
    """Each mail that follows from the events was sent, no other was, and repeats are explained."""
    yield from (f"waited for in vain: {what}" for what in found.unanswered)
    yield from _to_customers(found)
    yield from _notices(found)
    yield from _copies(found)
    yield from _repeats(found)


def machines_unanswered(found: Evidence) -> Iterator[str]:
    """Nothing goes to who wrote automatically."""
    machines = {mail.sender for mail in found.sent if mail.kind in MACHINES}
    for mail in found.taken:
        if mail.recipient in machines:
            yield f"{mail.recipient} wrote automatically and was answered: {mail.message_id}"


def repeats(found: Evidence) -> int:
    """How many copies came beside the first ones."""
    return len(found.taken) - len({(mail.message_id, mail.recipient) for mail in found.taken})


def _to_customers(found: Evidence) -> Iterator[str]:
    """One acknowledgement per ticket and sender, each answer to everybody whom it is for."""
    agents = found.desk.agents_by_address
    refused = {mail.recipient for mail in found.refused if mail.recipient.startswith("gone")}
    sent: dict[tuple[str, str], set[str]] = defaultdict(set)
    heard: set[tuple[str, str]] = set()
    for mail in found.taken:
        if mail.recipient not in agents:
            key = mail.header("X-Postdesk-Event"), mail.recipient
            sent[key].add(mail.message_id)
            heard |= {key} if mail.is_answered else set()
    expected = dict(_expected_by_customers(found))
    for key, kind in expected.items():
        if key[1] in refused:
            continue
        if len(sent[key]) != 1:
            yield f"{len(sent[key])} instead of one {kind} of {key[0]} to {key[1]}"
        elif key not in heard:
            yield f"given up without a 250: {kind} of {key[0]} to {key[1]}"
    for key in sent.keys() - expected.keys():
        yield f"too much: mail of {key[0] or 'nothing'} to {key[1]}"


def _expected_by_customers(found: Evidence) -> Iterator[tuple[tuple[str, str], str]]:
    acknowledged: set[tuple[str, str]] = set()
    for event in in_order(found.events):
        name = f"{event.ticket_id}.{event.seq}"
        if isinstance(event, MessageAdded) and event.message.direction == "in":
            sender = event.message.from_addr.lower()
            is_first = (event.ticket_id, sender) not in acknowledged
            if event.acknowledge and is_first and sender not in found.desk.agents_by_address:
                acknowledged.add((event.ticket_id, sender))
                yield (name, sender), "acknowledgement"
        elif _is_answer(event):
            state = event.state
            for person in {state.requester, *state.followers, *state.blind_followers}:
                yield (name, person.lower()), "answer"


def _is_answer(event: TicketEvent) -> bool:
    if isinstance(event, MessageAdded):
        return event.message.direction == "out" and event.message.kind == "public"
    return isinstance(event, TicketResolved) and not event.answered


def _notices(found: Evidence) -> Iterator[str]:
    """An agent is told of all that concerns them, in at most as many mails as there is news."""
    news: dict[tuple[str, str], list[TicketEvent]] = defaultdict(list)
    for event in in_order(found.events):
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
        case DeliveryNoted(outcome="failed" | "bounced", recipient=recipient):
            told = _responsible(event, desk) - {recipient.lower()}
        case TicketEscalated():
            told = set(event.to)
    kind, _, name = event.by.partition(":")
    own = {name.lower()} if kind == "agent" else set()  # one who only says so is nobody's own act
    return {agent.lower() for agent in told} - own


def _responsible(event: TicketEvent, desk: Desk) -> set[str]:
    team = desk.teams_by_name.get(event.state.team)
    who = event.state.assignee or (team.members[0] if team else None)
    return {who} if who else set()


def _copies(found: Evidence) -> Iterator[str]:
    """The same mail again has the same Message-ID and the same bytes."""
    first: dict[str, Delivery] = {}
    for mail in [*found.taken, *found.refused]:
        if not mail.message_id:
            yield f"a mail to {mail.recipient} has no Message-ID"
            continue
        other = first.setdefault(mail.message_id, mail)
        if (other.raw, other.recipient) != (mail.raw, mail.recipient):
            yield f"{mail.message_id} came twice with different bytes"


def _repeats(found: Evidence) -> Iterator[str]:
    """A copy follows only where the reply to the one before was not heard, or could be lost."""
    before: dict[tuple[str, str], Delivery] = {}
    for mail in found.taken:
        key = mail.message_id, mail.recipient
        earlier = before.get(key)
        if earlier and earlier.is_answered and not _is_disturbed(found, earlier.at, mail.at):
            yield f"twice without a reason: {mail.message_id} to {mail.recipient}"
        before[key] = mail


def _is_disturbed(found: Evidence, begin: float, end: float) -> bool:
    return any(
        one.begun <= end and one.over >= begin - NOTIFY_IN_HAND_S
        for one in found.disturbances
        if any(part in f"{one.target} {one.kind}" for part in TOUCHES_SENDING)
    )
