"""``ticket-commands`` and ``command-results``: what may be asked of tickets, and the answers.

The words are those of the agents' mail commands; a mail and a record ask for the same thing.
"""

from typing import Literal

from pydantic import AwareDatetime, Field

from shared.contracts.base import Actor, Address, Blob, Command, Event, TicketId
from shared.contracts.ticket_state import MOST_MENTIONED, TEXT_CHARS, Status


class TicketCommand(Command):
    """Base: ``actor`` is ``system:NAME`` on the bus; ``on_behalf_of`` an agent, where allowed."""

    version: Literal[1] = 1
    actor: Actor
    on_behalf_of: Address | None = None


class _OnTicket(TicketCommand):
    ticket_id: TicketId


class OpenTicket(TicketCommand):
    """Open a ticket for a requester, as a form, a portal, a chat or a phone agent does."""

    type: Literal["command.open-ticket"] = "command.open-ticket"
    mailbox: Address
    requester: Address
    requester_name: str = Field(default="", max_length=300)
    subject: str = Field(max_length=500)
    text: str = Field(max_length=TEXT_CHARS)
    priority: str = Field(default="", max_length=50)
    source: str = Field(default="system", max_length=30)


class Reply(_OnTicket):
    """Answer the requester."""

    type: Literal["command.reply"] = "command.reply"
    text: str = Field(min_length=1, max_length=TEXT_CHARS)
    attachments: list[Blob] = Field(default_factory=list, max_length=50)


class Note(_OnTicket):
    """Write an internal note; the agents in ``mentioned`` are told of it."""

    type: Literal["command.note"] = "command.note"
    text: str = Field(min_length=1, max_length=TEXT_CHARS)
    mentioned: list[Address] = Field(default_factory=list, max_length=MOST_MENTIONED)


class Take(_OnTicket):
    """Assign the ticket to the acting agent and lock it."""

    type: Literal["command.take"] = "command.take"


class Assign(_OnTicket):
    """Give the ticket to an agent; nobody releases it to the team."""

    type: Literal["command.assign"] = "command.assign"
    assignee: Address | None


class MoveToTeam(_OnTicket):
    """Give the ticket to a team."""

    type: Literal["command.team"] = "command.team"
    team: str = Field(max_length=50)


class Unlock(_OnTicket):
    """Give up the lock."""

    type: Literal["command.unlock"] = "command.unlock"


class SetStatus(_OnTicket):
    """Set open, pending or on-hold; resolving, closing and reopening are commands of their own."""

    type: Literal["command.status"] = "command.status"
    status: Status


class Snooze(_OnTicket):
    """Let the ticket rest until a date, on which it returns by itself."""

    type: Literal["command.snooze"] = "command.snooze"
    until: AwareDatetime


class Estimate(_OnTicket):
    """Say when it will probably be solved; nobody knows where there is no date."""

    type: Literal["command.estimate"] = "command.estimate"
    at: AwareDatetime | None


class Resolve(_OnTicket):
    """Say that the ticket is solved; ``summary`` goes to the requester."""

    type: Literal["command.resolve"] = "command.resolve"
    summary: str = Field(default="", max_length=TEXT_CHARS)
    survey: bool | None = None


class Close(_OnTicket):
    """Close for good."""

    type: Literal["command.close"] = "command.close"


class Reopen(_OnTicket):
    """Open a resolved or closed ticket again."""

    type: Literal["command.reopen"] = "command.reopen"


class SetField(_OnTicket):
    """Give ``priority``, ``category`` or ``subject`` another value."""

    type: Literal["command.set"] = "command.set"
    field: Literal["priority", "category", "subject"]
    value: str = Field(max_length=500)


class _Copies(_OnTicket):
    add: list[Address] = Field(default_factory=list, max_length=50)
    remove: list[Address] = Field(default_factory=list, max_length=50)
    replace: bool = False


class CopyTo(_Copies):
    """Put people in copy of what the requester is sent from now on, or take them out.

    ``remove`` ends either kind of copy. ``replace``: of those in open copy only ``add`` stay.
    """

    type: Literal["command.cc"] = "command.cc"


class BlindCopyTo(_Copies):
    """The same, unseen by the requester and by others in copy."""

    type: Literal["command.bcc"] = "command.bcc"


class Escalate(_OnTicket):
    """Call in the next step of the policy, or the team named."""

    type: Literal["command.escalate"] = "command.escalate"
    to: str = Field(default="", max_length=100)
    reason: str = Field(default="", max_length=500)


class Bar(_OnTicket):
    """Take no more mail of an address or a domain; empty: of the ticket's requester.

    With a number only what is beyond so many an hour or a day waits in quarantine.
    """

    type: Literal["command.bar"] = "command.bar"
    sender: Address = ""
    per_hour: int = Field(default=0, ge=0)
    per_day: int = Field(default=0, ge=0)


class Unbar(_OnTicket):
    """Take all mail of an address or a domain again; empty: of the ticket's requester."""

    type: Literal["command.unbar"] = "command.unbar"
    sender: Address = ""


class Lift(_OnTicket):
    """Send mail to a dead address again; empty: to the ticket's requester."""

    type: Literal["command.lift"] = "command.lift"
    address: Address = ""


COMMANDS = (
    OpenTicket,
    Reply,
    Note,
    Take,
    Assign,
    MoveToTeam,
    Unlock,
    SetStatus,
    Snooze,
    Estimate,
    Resolve,
    Close,
    Reopen,
    SetField,
    CopyTo,
    BlindCopyTo,
    Escalate,
    Bar,
    Unbar,
    Lift,
)


class _Result(Event):
    version: Literal[1] = 1
    command_id: str = Field(max_length=300)
    command: str = Field(max_length=60)


class CommandAccepted(_Result):
    """The command took effect; ``event_ids`` are empty where all was so already."""

    type: Literal["command.accepted"] = "command.accepted"
    ticket_id: TicketId
    event_ids: list[str] = Field(default_factory=list, max_length=40)


class CommandRejected(_Result):
    """The command had no effect; ``code`` is one of the agents' error codes."""

    type: Literal["command.rejected"] = "command.rejected"
    ticket_id: TicketId | None = None
    code: str = Field(max_length=10)
    reason: str = Field(max_length=500)


RESULTS = (CommandAccepted, CommandRejected)
