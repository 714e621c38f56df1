"""``ticket-events``: everything that happens to a ticket, in order.

Each event carries the ticket's state after it, so that a reader needs no history to act.
"""

from typing import Literal

from pydantic import AwareDatetime, Field

from shared.contracts.base import (
    Actor,
    Address,
    Event,
    MessageId,
    TicketId,
)
from shared.contracts.sla import Target
from shared.contracts.ticket_state import (
    MAX_QUESTIONS,
    MOST_MENTIONED,
    TEXT_CHARS,
    AskedQuestion,
    GivenAnswer,
    Message,
    Status,
    Survey,
    TicketState,
)


class TicketEvent(Event):
    """Base of all: ``seq`` is 1, 2, 3 … within a ticket, without gap or repeat."""

    version: Literal[1] = 1
    ticket_id: TicketId
    seq: int = Field(ge=1)
    at: AwareDatetime
    by: Actor
    configuration: str = Field(default="", max_length=64)  # hash of the desk's configuration
    state: TicketState


class TicketOpened(TicketEvent):
    """A thread began, so a ticket now exists; its first message follows as the next event.

    ``rules``: the rules of routing that decided about it. ``asked_priority``: what the requester
    asked for, where the desk lets them; empty where it is the mailbox's.
    """

    type: Literal["ticket.opened"] = "ticket.opened"
    rules: list[str] = Field(default_factory=list, max_length=100)
    asked_priority: str = Field(default="", max_length=50)


class MessageAdded(TicketEvent):
    """The conversation grew by one message.

    ``acknowledge``: its sender may be told automatically that it arrived. ``resolves``: an agent's
    answer that resolves in the same mail, so that one mail tells both. ``mentioned``: agents whom
    a note is addressed to. ``questions``: what the acknowledgement asks.
    """

    type: Literal["ticket.message-added"] = "ticket.message-added"
    message: Message
    acknowledge: bool = False
    resolves: bool = False
    survey_asked: bool = False
    cycle: int = 1
    mentioned: list[Address] = Field(default_factory=list, max_length=MOST_MENTIONED)
    questions: list[AskedQuestion] = Field(default_factory=list, max_length=MAX_QUESTIONS)


class MailHeld(TicketEvent):
    """A mail claims to be somebody it may not be; it is kept as an unverified message.

    The desk is told, the requester never.
    """

    type: Literal["ticket.mail-held"] = "ticket.mail-held"
    message: Message
    reason: str = Field(max_length=300)


class MessageReread(TicketEvent):
    """A mail that could not be read can be read now: ``message`` replaces the one of its number."""

    type: Literal["ticket.message-reread"] = "ticket.message-reread"
    message: Message


class TicketAssigned(TicketEvent):
    """The ticket has another assignee, or none. ``because`` says why in words, if not plain."""

    type: Literal["ticket.assigned"] = "ticket.assigned"
    assignee: Address | None
    previous: Address | None = None
    reason: Literal["rotation", "take", "assign", "release", "reply", "escalation", "team"]
    because: str = Field(default="", max_length=300)


class TeamChanged(TicketEvent):
    """Another team is responsible."""

    type: Literal["ticket.team-changed"] = "ticket.team-changed"
    team: str
    previous: str = ""


class LockChanged(TicketEvent):
    """An agent holds the ticket for themselves, or nobody does any more.

    The lock ends ``idle_s`` seconds after its holder's latest act; 0: not by itself. ``because``
    says why it is over in words, if not plain.
    """

    type: Literal["ticket.lock-changed"] = "ticket.lock-changed"
    locked_by: Address | None
    previous: Address | None = None
    idle_s: int = Field(default=0, ge=0)
    because: str = Field(default="", max_length=300)


class StatusChanged(TicketEvent):
    """The status is another one, for a reason that is not a resolution, closing or reopening."""

    type: Literal["ticket.status-changed"] = "ticket.status-changed"
    status: Status
    previous: Status
    accepted_at: AwareDatetime | None = None  # SMTP acceptance of the mail that led to it


class TicketResolved(TicketEvent):
    """An agent says it is solved. With ``summary`` the requester is told in those words.

    ``answered``: an agent's message in the same mail already told the requester, so no mail of
    its own follows.
    """

    type: Literal["ticket.resolved"] = "ticket.resolved"
    summary: str = Field(default="", max_length=TEXT_CHARS)
    survey_asked: bool = False
    answered: bool = False
    cycle: int = 1
    accepted_at: AwareDatetime | None = None  # SMTP acceptance of the mail that says so


class TicketClosed(TicketEvent):
    """Nothing more is expected."""

    type: Literal["ticket.closed"] = "ticket.closed"
    accepted_at: AwareDatetime | None = None


class TicketReopened(TicketEvent):
    """A resolved or closed ticket is worked on again."""

    type: Literal["ticket.reopened"] = "ticket.reopened"
    reason: Literal["customer", "agent", "system"] = "customer"


class FieldChanged(TicketEvent):
    """Priority, category, subject or another plain field has a new value."""

    type: Literal["ticket.field-changed"] = "ticket.field-changed"
    field: str = Field(max_length=50)
    value: str = Field(max_length=500)
    previous: str = Field(default="", max_length=500)


class ContactLinked(TicketEvent):
    """The requester is known as a contact of an account."""

    type: Literal["ticket.contact-linked"] = "ticket.contact-linked"


class FollowersChanged(TicketEvent):
    """Others are in copy: ``added`` openly, ``blind`` unseen; ``removed`` are no longer.

    Who changes from one kind to the other is in the new kind's list alone. They get what is sent
    after this event, and nothing from before.
    """

    type: Literal["ticket.followers-changed"] = "ticket.followers-changed"
    added: list[Address] = Field(default_factory=list, max_length=50)
    blind: list[Address] = Field(default_factory=list, max_length=50)
    removed: list[Address] = Field(default_factory=list, max_length=50)


class SurveyAnswered(TicketEvent):
    """The requester rated resolution number ``cycle``; a later rating replaces an earlier one."""

    type: Literal["ticket.survey-answered"] = "ticket.survey-answered"
    survey: Survey
    cycle: int = 1
    agent: Address | None = None


class QuestionsAnswered(TicketEvent):
    """The requester answered questions of the acknowledgement."""

    type: Literal["ticket.questions-answered"] = "ticket.questions-answered"
    answers: list[GivenAnswer] = Field(max_length=MAX_QUESTIONS)


class ClocksUpdated(TicketEvent):
    """sla told the state of all clocks; ``state.clocks`` has them."""

    type: Literal["ticket.clocks-updated"] = "ticket.clocks-updated"
    ticket_seq: int = 0  # the ticket event that the clocks follow from


class SLAWarned(TicketEvent):
    """A clock is amber."""

    type: Literal["ticket.sla-warned"] = "ticket.sla-warned"
    target: Target
    cycle: int
    due_at: AwareDatetime


class SLABreached(TicketEvent):
    """A target was missed: no fitting answer had been accepted by ``due_at``."""

    type: Literal["ticket.sla-breached"] = "ticket.sla-breached"
    target: Target
    cycle: int
    due_at: AwareDatetime


class SLABreachWithdrawn(TicketEvent):
    """A breach was none: a mail that SMTP took in time was read after the clock ran out.

    ``answered_at`` is when SMTP took the mail that met the target or made its clock stand still.
    """

    type: Literal["ticket.sla-breach-withdrawn"] = "ticket.sla-breach-withdrawn"
    target: Target
    cycle: int
    due_at: AwareDatetime
    answered_at: AwareDatetime


class TicketDelayed(TicketEvent):
    """The ticket rests until then and returns by itself; without a date it does not rest."""

    type: Literal["ticket.delayed"] = "ticket.delayed"
    until: AwareDatetime | None


class TicketReturned(TicketEvent):
    """The date that the ticket was delayed until has come."""

    type: Literal["ticket.returned"] = "ticket.returned"
    until: AwareDatetime


class TicketEscalated(TicketEvent):
    """Somebody above or beside is called in: ``to`` are told by mail.

    ``step`` is the step of the ladder that did it, for the clock ``target`` and ``cycle``;
    ``urgent``: its mails do not wait for the end of the reader's quiet hours.
    """

    type: Literal["ticket.escalated"] = "ticket.escalated"
    reason: str = Field(max_length=500)
    to: list[Address] = Field(max_length=20)
    step: str = Field(default="", max_length=40)
    target: Target | None = None
    cycle: int = 0
    urgent: bool = False


class TicketLinked(TicketEvent):
    """Another ticket belongs to this one in some way."""

    type: Literal["ticket.linked"] = "ticket.linked"
    other: TicketId
    relation: Literal["continues", "same-mail", "suspected"]


class SenderBarred(TicketEvent):
    """The desk wants no more mail of ``sender``: an address, or a domain with all below it.

    Its mail is kept from now on, without ticket and answer.
    """

    type: Literal["ticket.sender-barred"] = "ticket.sender-barred"
    sender: Address


class SenderLimited(TicketEvent):
    """The desk wants only so many mails of ``sender`` an hour or a day; 0: as many as come.

    A bar of the same sender is lifted. What is beyond the limit waits in quarantine.
    """

    type: Literal["ticket.sender-limited"] = "ticket.sender-limited"
    sender: Address
    per_hour: int = Field(default=0, ge=0)
    per_day: int = Field(default=0, ge=0)


class SenderAdmitted(TicketEvent):
    """Any bar or limit of ``sender`` is lifted."""

    type: Literal["ticket.sender-admitted"] = "ticket.sender-admitted"
    sender: Address


class DraftHeld(TicketEvent):
    """An agent's mail was given back for correction; nothing of it took effect."""

    type: Literal["ticket.draft-held"] = "ticket.draft-held"
    agent: Address
    draft_number: int
    codes: list[str] = Field(max_length=40)


class DeliveryNoted(TicketEvent):
    """What became of an outgoing mail of this ticket, where it is not simply sent.

    ``dead``: a proved report or the relay's own refusal says that the address takes no mail, so
    that none is sent there until somebody writes from it or it is lifted.
    """

    type: Literal["ticket.delivery-noted"] = "ticket.delivery-noted"
    outcome: Literal["deferred", "failed", "bounced"]
    recipient: Address
    message_id: MessageId
    detail: str = Field(default="", max_length=500)
    dead: bool = False


class AddressLifted(TicketEvent):
    """Mail is sent to ``recipient`` again, should the address have been dead."""

    type: Literal["ticket.address-lifted"] = "ticket.address-lifted"
    recipient: Address


RECORDS = (
    TicketOpened,
    MessageAdded,
    MailHeld,
    MessageReread,
    TicketAssigned,
    TeamChanged,
    LockChanged,
    StatusChanged,
    TicketResolved,
    TicketClosed,
    TicketReopened,
    FieldChanged,
    ContactLinked,
    FollowersChanged,
    SurveyAnswered,
    QuestionsAnswered,
    ClocksUpdated,
    SLAWarned,
    SLABreached,
    SLABreachWithdrawn,
    TicketDelayed,
    TicketReturned,
    TicketEscalated,
    TicketLinked,
    SenderBarred,
    SenderLimited,
    SenderAdmitted,
    DraftHeld,
    DeliveryNoted,
    AddressLifted,
)
