"""Which mails an event causes, to whom and when; pure, and the place where mails are counted.

The budget of an ordinary case (ack, two answers, solved with rating; assigned, answered, reopened)
is four mails to the customer and three to the agent.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Literal

from services.notify.domain.headers import MailClass
from services.notify.domain.view import TicketView
from shared.config.models import Desk
from shared.contracts.ticket import (
    DeliveryNoted,
    MailHeld,
    MessageAdded,
    MessageReread,
    SLABreached,
    SLABreachWithdrawn,
    SLAWarned,
    TicketAssigned,
    TicketEscalated,
    TicketEvent,
    TicketReopened,
    TicketResolved,
    TicketReturned,
)
from shared.contracts.ticket_state import Message

Kind = Literal[
    "acknowledgement",
    "reply",
    "resolution",
    "notice",
    "held",
    "escalation",
    "delivery-failed",
    "receipt",
    "answer",
    "report",
]

OWN_ACTS = ("take", "reply", "release")
"""Reasons of an assignment that its new assignee need not be told."""


@dataclass(frozen=True)
class Planned:
    """One mail to one person. ``wait_s`` 0: it is written at once, from the event.

    ``collects``: written when its time has come, from what is known then, together with all that
    waits for the same person and ticket. ``until_clocks``: changed clocks end the wait.
    ``keeps_quiet``: it waits for the end of the recipient's quiet hours.
    """

    kind: Kind
    mail_class: MailClass
    reason: str
    recipient: str
    wait_s: int = 0
    collects: bool = False
    until_clocks: bool = False
    keeps_quiet: bool = False


def plan(event: TicketEvent, view: TicketView, desk: Desk) -> list[Planned]:
    """The mails that follow from the event; ``view`` is the ticket after it.

    Nobody is told of their own act, and no address of the desk's own is written to.
    """
    wanted = [
        *_for_customers(event, view, desk),
        *_news_for_agents(event, view, desk),
        *_warnings_for_agents(event, view, desk),
        *_clock_news_for_agents(event, view, desk),
    ]
    kind, _, name = event.by.partition(":")
    # What only claims to be an agent's acts as a customer: the agent must hear of it.
    actor = name.lower() if kind == "agent" else ""
    return [
        one
        for one in wanted
        if one.recipient not in desk.mailboxes_by_address
        and not (_is_notice(one) and one.recipient == actor)
    ]


def remember(view: TicketView, planned: Iterable[Planned]) -> TicketView:
    """The view that knows who has been told, so that first notices are told from later ones."""
    acknowledged = {one.recipient for one in planned if one.kind == "acknowledgement"}
    told = {one.recipient for one in planned if _is_notice(one)}
    if not acknowledged | told:
        return view
    return replace(view, acknowledged=view.acknowledged | acknowledged, told=view.told | told)


def wait(planned: Planned, view: TicketView, desk: Desk) -> Planned:
    """A notice with its wait: the first goes as soon as the clocks are known, later ones bundle."""
    if not _is_notice(planned):
        return planned
    if planned.recipient in view.told:
        return replace(planned, collects=True, wait_s=desk.notices.bundle)
    if view.state.clocks:
        return replace(planned, collects=True)
    return replace(planned, collects=True, wait_s=desk.notices.hold, until_clocks=True)


def after_quiet_hours(at: datetime, recipient: str, desk: Desk) -> datetime:
    """``at``, or the end of the recipient's quiet hours if it lies in them."""
    if desk.notices.quiet is None:
        return at
    begins, ends = map(time.fromisoformat, desk.notices.quiet)
    zone = desk.zone(recipient)
    local = at.astimezone(zone)
    now, today = local.time(), local.date()
    over_midnight = begins > ends
    is_evening = over_midnight and now >= begins
    is_quiet = is_evening or (now < ends if over_midnight else begins <= now < ends)
    if not is_quiet:
        return at
    day = today + timedelta(days=1) if is_evening else today
    return datetime.combine(day, ends, zone).astimezone(UTC)


def _for_customers(event: TicketEvent, view: TicketView, desk: Desk) -> list[Planned]:
    match event:
        case MessageAdded(message=Message(kind="public", direction="in") as message):
            return _acknowledgement(event, message, view, desk)
        case MessageAdded(message=Message(kind="public", direction="out"), resolves=True):
            return _to_all("resolution", "answer", view)
        case MessageAdded(message=Message(kind="public", direction="out")):
            return _to_all("reply", "answer", view)
        case TicketResolved(answered=False):
            # An agent's own words make it a person's answer, not an automatic mail.
            return _to_all("resolution", "answer" if event.summary else "resolution", view)
    return []


def _acknowledgement(
    event: MessageAdded, message: Message, view: TicketView, desk: Desk
) -> list[Planned]:
    sender = message.from_addr.lower()
    welcome = event.acknowledge and message.answerable and not message.unverified
    known = sender in view.acknowledged or sender in desk.agents_by_address
    if not sender or not welcome or known:
        return []
    return [Planned("acknowledgement", "acknowledgement", "acknowledgement", sender)]


def _to_all(kind: Kind, mail_class: MailClass, view: TicketView) -> list[Planned]:
    state = view.state
    people = dict.fromkeys([state.requester, *state.followers, *state.blind_followers])
    return [Planned(kind, mail_class, kind, address) for address in people if address]


def _news_for_agents(event: TicketEvent, view: TicketView, desk: Desk) -> list[Planned]:
    match event:
        case TicketAssigned(assignee=str() as assignee) if event.reason not in OWN_ACTS:
            return [_notice("assigned", assignee)]
        case MessageAdded(message=Message(direction="in", kind="public", number=number)):
            return _responsible("customer-answered", view, desk) if number > 1 else []
        case MessageAdded(message=Message(kind="note")):
            return _of_note(event, view, desk)
        case MessageReread() | TicketReturned():
            reason = "reread" if isinstance(event, MessageReread) else "returned"
            return _responsible(reason, view, desk)
        case TicketReopened(reason="agent" | "system"):
            # A customer's reopening comes with the message that did it, which is told of.
            return _responsible("reopened", view, desk)
    return []


def _of_note(event: MessageAdded, view: TicketView, desk: Desk) -> list[Planned]:
    """To the agents whom the note names, and to the assignee; each is told once."""
    named = [who for who in dict.fromkeys(event.mentioned) if who in desk.agents_by_address]
    told = [_notice("mentioned", who) for who in named]
    assignee = view.state.assignee
    if assignee and assignee not in named:
        told.append(_notice("note", assignee))
    return told


def _warnings_for_agents(event: TicketEvent, view: TicketView, desk: Desk) -> list[Planned]:
    match event:
        case MailHeld():
            return _responsible("held", view, desk, kind="held")
        case DeliveryNoted(outcome="failed" | "bounced", recipient=recipient):
            told = _responsible("delivery-failed", view, desk, kind="delivery-failed")
            return [one for one in told if one.recipient != recipient.lower()]
    return []


def _clock_news_for_agents(event: TicketEvent, view: TicketView, desk: Desk) -> list[Planned]:
    match event:
        case SLAWarned():
            return _quietly(_responsible("sla-warning", view, desk))
        case SLABreached():
            return _quietly(_responsible("sla-breach", view, desk))
        case SLABreachWithdrawn():
            told = _responsible("breach-withdrawn", view, desk)
            team = desk.teams_by_name.get(view.state.team)
            if team and team.manager in view.told:
                told.append(_notice("breach-withdrawn", team.manager))
            return _quietly(told)
        case TicketEscalated(to=people):
            called = [_notice("escalated", who, "escalation") for who in dict.fromkeys(people)]
            return _quietly(called) if event.step and not event.urgent else called
    return []


def _responsible(
    reason: str, view: TicketView, desk: Desk, *, kind: Kind = "notice"
) -> list[Planned]:
    """To the assignee, else to the first of the team."""
    team = desk.teams_by_name.get(view.state.team)
    address = view.state.assignee or (team.members[0] if team else None)
    return [_notice(reason, address, kind)] if address else []


def _quietly(notices: list[Planned]) -> list[Planned]:
    return [replace(one, keeps_quiet=True) for one in notices]


def _notice(reason: str, address: str, kind: Kind = "notice") -> Planned:
    return Planned(kind, "notice", reason, address.lower())


def _is_notice(planned: Planned) -> bool:
    return planned.mail_class == "notice"
