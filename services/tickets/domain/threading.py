"""Where a mail belongs, by evidence in order: signed address, Message-IDs, number in the subject.

Who is no participant never gets into a ticket by guessing: a new one is opened and linked.
"""

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal, Protocol

from services.tickets.domain import trust
from services.tickets.domain.facts import Facts, Person
from services.tickets.domain.ticket import Ticket
from shared.contracts.mail import AddressToken, MailReceived

_TAG = re.compile(r"\[(T-[1-9]\d{0,11})\]")

Course = Literal["open", "append", "hold", "agent", "expired", "desk", "survey", "bounce", "park"]


@dataclass(frozen=True, slots=True)
class Placement:
    """What is to be done with a mail. ``related`` is another ticket that a new one is linked to.

    ``hold``: keep it as unverified, for ``reason``; ``park``: file it, and no more.
    """

    course: Course
    ticket_id: str | None = None
    reason: str = ""
    related: str | None = None
    relation: Literal["continues", "same-mail", "suspected"] = "continues"


class Known(Protocol):
    """The tickets that a batch touches."""

    def ticket(self, ticket_id: str) -> Ticket | None:
        """The ticket as it is now, within the batch too."""
        ...

    def owner_of(self, message_id: str) -> str | None:
        """The ticket that a Message-ID belongs to: one of ours, or one of a stored message."""
        ...


def place(mail: MailReceived, known: Known, who: Person, facts: Facts) -> Placement:
    """Say where the mail goes; see the module's first lines for the order of evidence."""
    if trust.is_blocked(mail, facts):
        return Placement("park")
    token = mail.token
    if token and token.state != "forged" and token.ticket_id:
        ticket = known.ticket(token.ticket_id)
        if ticket:
            return _by_token(mail, token, ticket, who, facts)
    if token and token.purpose == "desk" and token.state != "forged":
        return _at_desk(mail, facts)
    return _by_traces(mail, known, who, facts)


def tagged(subject: str) -> list[str]:
    """The ticket numbers in a subject, the last one first."""
    return list(reversed(_TAG.findall(subject)))


def untagged(subject: str) -> str:
    """The subject without ticket numbers."""
    return " ".join(_TAG.sub("", subject).split())


def traces(mail: MailReceived) -> list[str]:
    """The Message-IDs that the mail answers, the nearest first."""
    nearest = [mail.in_reply_to] if mail.in_reply_to else []
    return list(dict.fromkeys(nearest + mail.references[::-1]))


def _at_desk(mail: MailReceived, facts: Facts) -> Placement:
    if trust.is_automatic(mail, facts.desk):
        return Placement("park")
    reason = trust.agent_refusal(mail, facts.desk)
    return Placement("hold", reason=reason) if reason else Placement("desk")


def _by_token(  # noqa: PLR0911 - one line for each kind of evidence reads best
    mail: MailReceived, token: AddressToken, ticket: Ticket, who: Person, facts: Facts
) -> Placement:
    if token.purpose == "bounce":
        return Placement("bounce" if mail.bounce else "park", ticket.id)
    if mail.bounce:
        return Placement("append", ticket.id)
    if mail.from_addr in facts.desk.agents_by_address and mail.from_addr != ticket.state.requester:
        return _of_agent(mail, token, ticket, facts)
    if not trust.has_one_sender(mail):
        return Placement("hold", ticket.id, "it names no single sender")
    if trust.is_agents_token(mail, facts.desk) and not trust.owns_token(mail):
        return Placement("hold", ticket.id, f"{mail.from_addr} wrote to an agent's reply address")
    if token.state == "expired":
        return Placement("hold", ticket.id, "the reply address has expired")
    if token.purpose == "survey" and not trust.is_automatic(mail, facts.desk):
        mine = trust.owns_token(mail)
        return Placement("survey" if mine else "hold", ticket.id, "the rating is another person's")
    if trust.owns_token(mail) or _takes_part(mail, ticket, who):
        return _append(mail, ticket, facts)
    return Placement("hold", ticket.id, f"the reply address was not given to {mail.from_addr}")


def _of_agent(mail: MailReceived, token: AddressToken, ticket: Ticket, facts: Facts) -> Placement:
    valid = mail.model_copy(update={"token": token.model_copy(update={"state": "valid"})})
    if reason := trust.agent_refusal(valid, facts.desk):
        return Placement("hold", ticket.id, reason)
    if trust.is_automatic(mail, facts.desk):
        return Placement("park", ticket.id)
    if token.state == "expired":
        return Placement("expired", ticket.id, "the reply address has expired")
    return Placement("agent", ticket.id)


def _by_traces(mail: MailReceived, known: Known, who: Person, facts: Facts) -> Placement:
    fresh = _opening(mail, known)
    if mail.bounce or fresh.related:
        return fresh
    candidates = [known.owner_of(message_id) for message_id in traces(mail)]
    for ticket_id in dict.fromkeys(filter(None, [*candidates, *tagged(mail.subject)])):
        ticket = known.ticket(ticket_id)
        if ticket is None:
            continue
        # Anybody can fill in a form with another's address.
        if mail.form or not _takes_part(mail, ticket, who):
            return replace(fresh, related=ticket.id, relation="suspected")
        if reason := _doubt(mail):
            return Placement("hold", ticket.id, reason)
        if ticket.state.mailbox != mail.mailbox:
            return replace(fresh, related=ticket.id, relation="continues")
        return _append(mail, ticket, facts)
    return fresh


def _opening(mail: MailReceived, known: Known) -> Placement:
    """A new ticket, linked to the one that the same mail opened by way of another mailbox."""
    twin = known.owner_of(mail.message_id) if mail.message_id else None
    ticket = known.ticket(twin) if twin else None
    if ticket and ticket.state.mailbox != mail.mailbox:
        return Placement("open", related=ticket.id, relation="same-mail")
    return Placement("open")


def _doubt(mail: MailReceived) -> str:
    if not trust.has_one_sender(mail):
        return "it names no single sender"
    if mail.token and mail.token.state == "forged":
        return "the reply address was altered"
    if mail.authentication.dmarc == "fail":
        return f"the mail does not prove that it comes from {mail.from_addr}"
    return ""


def _takes_part(mail: MailReceived, ticket: Ticket, who: Person) -> bool:
    same_contact = bool(who.contact_id) and who.contact_id == ticket.state.contact_id
    return same_contact or mail.from_addr in ticket.participants


def _append(mail: MailReceived, ticket: Ticket, facts: Facts) -> Placement:
    ended_at = max(filter(None, (ticket.state.resolved_at, ticket.state.closed_at)), default=None)
    if ticket.is_done and ended_at and not trust.is_automatic(mail, facts.desk):
        window = timedelta(seconds=facts.desk.customers.reopen_within)
        if mail.received_at - ended_at > window:
            return Placement("open", related=ticket.id, relation="continues")
    return Placement("append", ticket.id)
