"""``delivery-events``: what became of each outgoing mail."""

from typing import Literal

from pydantic import AwareDatetime, Field

from shared.contracts.base import Address, Blob, Event, MessageId, TicketId


class _DeliveryEvent(Event):
    version: Literal[1] = 1
    outgoing_id: str = Field(max_length=200)
    ticket_id: TicketId | None = None
    kind: str = Field(max_length=40)  # acknowledgement, reply, resolution, notice …
    recipient: Address
    message_id: MessageId
    cause: str = Field(default="", max_length=300)  # id of the event that the mail tells of
    at: AwareDatetime


class MailSent(_DeliveryEvent):
    """The relay answered 250. ``relay_message_id`` differs if the relay gave it another id.

    ``text_blob`` is the text as sent, for taking quotes of it out of answers.
    """

    type: Literal["mail.sent"] = "mail.sent"
    relay_message_id: MessageId = ""
    text_blob: Blob | None = None


class MailDeferred(_DeliveryEvent):
    """The relay could not take it now; told once for each mail, tries go on."""

    type: Literal["mail.deferred"] = "mail.deferred"
    reply: str = Field(default="", max_length=500)
    next_try_at: AwareDatetime


class MailFailed(_DeliveryEvent):
    """The relay refused for good, or tries ran out: nobody will send it again."""

    type: Literal["mail.failed"] = "mail.failed"
    reply: str = Field(default="", max_length=500)


RECORDS = (MailSent, MailDeferred, MailFailed)
