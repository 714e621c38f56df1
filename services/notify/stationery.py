"""What all mails share: addresses, the head of each class, and the bytes in the end."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote

from services.notify.domain import headers, wire
from services.notify.domain.headers import PROFILES, Head, MailClass
from services.notify.domain.view import Thread
from services.notify.render import Texts
from shared.addresses import AddressBook
from shared.config.models import Desk
from shared.config.people import Mailbox
from shared.contracts.mail import Purpose

MAILTO_OCTETS = 1_500
NO_TICKET = "T-0"  # stands in for the ticket in the Message-IDs of mails that have none


@dataclass(frozen=True)
class Letter:
    """A mail that is ready to be sent, the same bytes on every try."""

    message_id: str
    envelope_from: str
    raw: bytes
    text: str


@dataclass(frozen=True)
class Files:
    """Files that go with a mail, and those that were too large for it."""

    sent: tuple[wire.File, ...] = ()
    left_out: tuple[str, ...] = ()
    left_out_blobs: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Errand:
    """Which row of the ledger is written, to whom, about what; ``seq`` is what the reader sees."""

    outgoing_id: str
    event_id: str
    mail_class: MailClass
    reason: str
    recipient: str
    box: Mailbox
    ticket_id: str
    seq: int
    now: datetime


class Stationery:
    """Makes heads, addresses and bytes for one desk; the same input gives the same output."""

    def __init__(self, desk: Desk, book: AddressBook) -> None:
        self.desk = desk
        self._book = book

    def message_id(self, ticket_id: str, outgoing_id: str) -> str:
        """The Message-ID of a ledger row."""
        return self._book.message_id(ticket_id or NO_TICKET, outgoing_id)

    def head(self, errand: Errand, subject: str, thread: Thread) -> Head:
        """A head from the mailbox to the recipient, in the recipient's thread."""
        name = f"{errand.ticket_id or errand.outgoing_id}@{self.desk.host}"
        root = "root" if errand.ticket_id else f"root-{errand.outgoing_id}"
        index = headers.thread_index(
            thread.thread_index, ticket=name, seed=errand.outgoing_id, at=errand.now
        )
        if errand.ticket_id:
            subject = headers.ticket_subject(errand.ticket_id, subject)
        return Head(
            mail_class=errand.mail_class,
            reason=errand.reason,
            event_id=errand.event_id,
            message_id=self.message_id(errand.ticket_id, errand.outgoing_id),
            root_id=self.message_id(errand.ticket_id, root),
            date=errand.now,
            subject=subject,
            sender=(errand.box.brand, errand.box.address),
            to=[("", errand.recipient)],
            host=self.desk.host,
            queue=errand.box.team,
            reply_to=self.address(errand, "reply"),
            ids=thread.ids,
            own_id=thread.own_id if headers.is_id(thread.own_id) else "",
            thread_index=index,
        )

    def address(self, errand: Errand, purpose: Purpose, number: int | None = None) -> str:
        """A signed address for the recipient; an agent's ends after the configured days."""
        is_agent = errand.recipient in self.desk.agents_by_address
        return self._book.address(
            errand.box.address,
            purpose,
            ticket_id=errand.ticket_id or None,
            party=errand.recipient,
            number=errand.seq if number is None else number,
            valid_days=self.desk.agent_mail.address_days if is_agent else 0,
            now=errand.now,
        )

    def letter(
        self,
        errand: Errand,
        head: Head,
        texts: Texts,
        *,
        files: Sequence[wire.File] = (),
        inline: Sequence[wire.File] = (),
    ) -> Letter:
        """The bytes. The envelope's sender is empty where nobody must answer (RFC 3834, 3.3)."""
        seed = errand.outgoing_id[-24:]
        body = wire.content(texts.text, texts.html, files=files, inline=inline, seed=seed)
        bounces = PROFILES[head.mail_class].bounces
        return Letter(
            message_id=head.message_id,
            envelope_from=self.address(errand, "bounce") if bounces else "",
            raw=headers.fields(head) + body,
            text=texts.text,
        )

    def box(self, address: str) -> Mailbox:
        """The mailbox, or the first one where it is no longer configured."""
        return self.desk.mailboxes_by_address.get(address, self.desk.mailboxes[0])

    def name(self, address: str) -> str:
        """The agent's name; the address of anybody else."""
        agent = self.desk.agents_by_address.get(address)
        return agent.name if agent else address

    def to_agent(self, head: Head, address: str) -> Head:
        """The head with the agent's name beside the address."""
        agent = self.desk.agents_by_address.get(address)
        return replace(head, to=[(agent.name if agent else "", address)])


def mailto(address: str, *, subject: str, body: str = "") -> str:
    """One action as a link (RFC 6068); raises ValueError above 1,500 octets."""
    uri = f"mailto:{quote(address, safe='@+')}?subject={quote(subject, safe='')}"
    uri += f"&body={quote(body, safe='')}" if body else ""
    if len(uri) > MAILTO_OCTETS:
        raise ValueError("the link is longer than mail clients take")
    return uri
