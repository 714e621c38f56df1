"""A mail that acts for no agent as an entry of its ticket: in the conversation, or held."""

from dataclasses import dataclass

from services.tickets.domain import trust
from services.tickets.domain.built import built
from services.tickets.domain.facts import STRANGER, Facts, Person
from services.tickets.domain.routing_rules import Route
from services.tickets.domain.story import Story
from services.tickets.domain.threading import Placement
from shared.contracts import ticket as contract
from shared.contracts.base import Attachment
from shared.contracts.mail import MailReceived
from shared.contracts.ticket_state import Message


@dataclass(frozen=True, slots=True)
class Filing:
    """A mail with what is known about it.

    ``ticket_id``, ``slot`` and ``route`` are for a new ticket: its number, the turn in the team's
    rotation, what the rules say.
    """

    mail: MailReceived
    placement: Placement
    who: Person = STRANGER
    ticket_id: str = ""
    slot: int | None = None
    route: Route | None = None


def as_message(mail: MailReceived, number: int, facts: Facts) -> Message:
    """The mail as an entry of the conversation, from the requester's side."""
    return built(
        Message,
        number=number,
        kind="public",
        direction="in",
        author=f"customer:{mail.from_addr or 'unknown'}",
        from_addr=mail.from_addr,
        from_name=mail.from_name,
        to=mail.to,
        cc=mail.cc,
        text=mail.text,
        reply_text=mail.reply_text,
        text_blob=mail.text_blob,
        html_blob=mail.html_blob,
        raw_blob=mail.raw_blob,
        attachments=_files(mail),
        message_id=mail.message_id,
        in_reply_to=mail.in_reply_to,
        references=mail.references,
        thread_index=mail.thread_index,
        mail_subject=mail.subject,
        inbound_id=mail.inbound_id,
        trust=trust.line_of(mail)[:300],
        authentication=mail.authentication.dmarc,
        answerable=trust.may_be_answered(mail, facts),
        automated=trust.is_automatic(mail, facts.desk),
        unreadable=mail.unreadable,
        at=facts.now,
        accepted_at=mail.received_at,
    )


def _files(mail: MailReceived) -> list[Attachment]:
    if not mail.unreadable or not mail.raw_blob:
        return mail.attachments
    original = built(
        Attachment,
        name="original.eml",
        content_type="message/rfc822",
        size_bytes=mail.size_bytes,
        blob=mail.raw_blob,
    )
    return [original, *mail.attachments]


def hold(story: Story, filing: Filing) -> None:
    """Keep the mail as unverified: the desk sees it, and no customer ever gets it."""
    mail = filing.mail
    facts = story.facts
    message = as_message(mail, story.state.messages + 1, facts).model_copy(
        update={"unverified": True, "answerable": False}
    )
    story.tell(contract.MailHeld, message=message, reason=filing.placement.reason[:300])


def link(story: Story, other: str, placement: Placement) -> None:
    """Tie the story's ticket to another one."""
    if other not in story.state.linked and other != story.state.ticket_id:
        story.tell(contract.TicketLinked, other=other, relation=placement.relation)


def is_requester(story: Story, mail: MailReceived) -> bool:
    """Whether it is from the address that opened the ticket."""
    return mail.from_addr == story.state.requester
