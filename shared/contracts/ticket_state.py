"""What is true of a ticket, and an entry of its conversation; the events of `ticket` carry both."""

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field

from shared.contracts.base import (
    Actor,
    Address,
    Attachment,
    Blob,
    Contract,
    Language,
    MessageId,
    TicketId,
    Trust,
)
from shared.contracts.sla import Clock

TEXT_CHARS = 12_000
"""Longest text inside a record; the whole is in the blob named beside it."""

Status = Literal["new", "open", "pending", "on-hold", "resolved", "closed"]


class Survey(Contract):
    """The requester's rating of a resolution, 1 (bad) to 5 (great)."""

    score: int = Field(ge=1, le=5)
    comment: str = Field(default="", max_length=4000)


ANSWER_CHARS = 200
MAX_QUESTIONS = 10
MOST_MENTIONED = 20
"""So many agents at most may one note be addressed to."""


class AskedQuestion(Contract):
    """A question to the requester of a new ticket; ``field`` is the one that keeps the answer."""

    field: str = Field(max_length=40)
    text: str = Field(max_length=150)


class GivenAnswer(Contract):
    """What the requester answered, in the field of that name."""

    field: str = Field(max_length=40)
    value: str = Field(max_length=ANSWER_CHARS)


class TicketState(Contract):
    """What is true of a ticket after an event; small on purpose, texts are in the messages.

    ``followers`` get what the requester is sent, openly in copy; of ``blind_followers`` neither
    the requester nor another follower is ever told. At ``locked_until`` the lock is over unless its
    holder does something before; no event tells of that moment (`holder_at`).
    """

    ticket_id: TicketId
    seq: int = Field(ge=1)
    subject: str = Field(max_length=500)
    status: Status
    priority: str = Field(max_length=50)
    category: str = Field(default="", max_length=100)
    mailbox: Address
    source: str = Field(default="mail", max_length=30)
    language: Language = "en"
    requester: Address
    requester_name: str = Field(default="", max_length=300)
    contact_id: str = Field(default="", max_length=100)
    account_id: str = Field(default="", max_length=100)
    unknown_contact: bool = False
    team: str = Field(default="", max_length=50)
    assignee: Address | None = None
    locked_by: Address | None = None
    locked_until: AwareDatetime | None = None  # none: as long as nobody ends it
    followers: list[Address] = Field(default_factory=list, max_length=50)
    blind_followers: list[Address] = Field(default_factory=list, max_length=50)
    tags: list[str] = Field(default_factory=list, max_length=50)
    opened_at: AwareDatetime
    updated_at: AwareDatetime
    first_response_at: AwareDatetime | None = None
    resolved_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None
    messages: int = 0
    escalated: bool = False
    clocks: list[Clock] = Field(default_factory=list, max_length=20)
    survey: Survey | None = None
    service: str = Field(default="", max_length=100)  # id or name, as in the directory
    delayed_until: AwareDatetime | None = None  # it returns to the queue then
    estimate_at: AwareDatetime | None = None  # when agents think it will be solved; no target
    linked: list[TicketId] = Field(default_factory=list, max_length=50)
    summary: str = Field(default="", max_length=500)
    sla_policy: str = Field(default="", max_length=100)  # given by a rule of routing, else empty
    fields: list[GivenAnswer] = Field(default_factory=list, max_length=MAX_QUESTIONS)

    def holder_at(self, moment: datetime) -> str | None:
        """Who has the lock then, if nothing else happens before."""
        is_over = self.locked_until is not None and self.locked_until <= moment
        return None if is_over else self.locked_by


class Message(Contract):
    """One entry of the conversation. ``reply_text`` is the new words alone; ``text`` is all of it.

    ``accepted_at`` is when SMTP took it: what clocks are compared with.
    """

    number: int = Field(ge=1)
    kind: Literal["public", "note", "system"]
    direction: Literal["in", "out"]
    author: Actor
    from_addr: str = Field(default="", max_length=320)
    from_name: str = Field(default="", max_length=300)
    to: list[str] = Field(default_factory=list, max_length=200)
    cc: list[str] = Field(default_factory=list, max_length=200)
    text: str = Field(default="", max_length=TEXT_CHARS)
    reply_text: str = Field(default="", max_length=TEXT_CHARS)
    text_blob: Blob | None = None
    html_blob: Blob | None = None
    raw_blob: Blob | None = None
    attachments: list[Attachment] = Field(default_factory=list, max_length=100)
    message_id: MessageId = ""
    in_reply_to: MessageId = ""
    references: list[str] = Field(default_factory=list, max_length=30)
    thread_index: str = Field(default="", max_length=400)
    mail_subject: str = Field(default="", max_length=500)
    inbound_id: str = Field(default="", max_length=100)
    trust: str = Field(default="", max_length=300)  # one line for agents: who vouches for it
    authentication: Trust = "none"  # DMARC's verdict on the domain in From
    answerable: bool = True  # whether an automatic answer may go to its sender
    unverified: bool = False
    automated: bool = False
    unreadable: str = Field(default="", max_length=300)
    at: AwareDatetime
    accepted_at: AwareDatetime
