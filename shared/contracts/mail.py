"""``mail-received``: a mail that was answered with 250, read and taken apart by ingest."""

from typing import Literal

from pydantic import AwareDatetime, Field

from shared.contracts.base import (
    Address,
    Attachment,
    Blob,
    Contract,
    Event,
    MessageId,
    TicketId,
    Trust,
)
from shared.contracts.sizes import INLINE_TEXT_CHARS

Purpose = Literal["reply", "note", "confirm", "survey", "digest", "desk", "bounce", "action"]


class AddressToken(Contract):
    """What the signed part of a recipient address says (`shared.addresses` has the layout).

    ``state`` other than ``valid`` means that nothing of it may be believed but for routing.
    """

    state: Literal["valid", "expired", "forged"]
    purpose: Purpose = "reply"
    ticket_id: TicketId | None = None
    party: str = Field(default="", max_length=16)  # hex of the party's fingerprint
    number: int = Field(default=0, ge=0, le=65535)  # meaning by purpose: see shared.addresses


class SenderAuthentication(Contract):
    """What our own border found out about the sender; ``domain`` is the one that passed.

    ``by`` says who looked: a relay of ours (RFC 8601), the desk itself, or nobody.
    """

    dmarc: Trust = "none"
    by: Literal["", "relay", "desk"] = ""
    domain: str = ""
    detail: str = Field(default="", max_length=500)


class Bounce(Contract):
    """A report about a mail that did not arrive (RFC 3464) or is late."""

    kind: Literal["failed", "delayed"]
    recipients: list[Address] = Field(default_factory=list)
    message_id: MessageId = ""
    status: str = Field(default="", max_length=20)
    diagnostic: str = Field(default="", max_length=500)


class MailReceived(Event):
    """A mail was accepted for one mailbox; a mail to two mailboxes is two of these.

    ``unreadable`` holds the reason where the parser gave up: then only what the raw headers said is
    filled, and the original is in ``raw``. ``form`` is the name of the trusted contact form that it
    provably came by: then it is the words of the person in ``reply_to``; in any other mail that
    field proves nothing. ``spam`` is what a trusted filter says where it calls the mail spam.
    """

    type: Literal["mail.received"] = "mail.received"
    version: Literal[1] = 1
    inbound_id: str = Field(max_length=100)
    mailbox: Address
    recipient: Address
    token: AddressToken | None = None
    envelope_from: str = Field(default="", max_length=320)  # "" is the null path
    client: str = Field(default="", max_length=60)  # IP address
    received_at: AwareDatetime  # SMTP acceptance
    from_addr: str = Field(default="", max_length=320)
    from_name: str = Field(default="", max_length=300)
    from_count: int = 1
    authentication: SenderAuthentication = SenderAuthentication()
    reply_to: str = Field(default="", max_length=320)
    reply_to_name: str = Field(default="", max_length=300)
    reply_to_count: int = 0
    form: str = Field(default="", max_length=80)
    spam: str = Field(default="", max_length=200)
    to: list[str] = Field(default_factory=list, max_length=200)
    cc: list[str] = Field(default_factory=list, max_length=200)
    subject: str = Field(default="", max_length=500)
    message_id: MessageId = ""
    in_reply_to: MessageId = ""
    references: list[str] = Field(default_factory=list, max_length=30)
    thread_index: str = Field(default="", max_length=400)
    text: str = Field(default="", max_length=INLINE_TEXT_CHARS)
    reply_text: str = Field(default="", max_length=INLINE_TEXT_CHARS)
    text_blob: Blob | None = None
    reply_text_blob: Blob | None = None
    html_blob: Blob | None = None
    raw_blob: Blob | None = None
    attachments: list[Attachment] = Field(default_factory=list, max_length=100)
    importance: Literal["low", "normal", "high"] = "normal"
    autoreply: bool = False
    automated: bool = False
    bounce: Bounce | None = None
    forwarded_from: str = Field(default="", max_length=320)
    forwarded_subject: str = Field(default="", max_length=500)
    unreadable: str = Field(default="", max_length=300)
    size_bytes: int = 0


RECORDS = (MailReceived,)
