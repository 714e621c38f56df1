"""What the configuration lets the desk believe about a mail, beyond who vouches for its sender."""

from collections.abc import Callable
from typing import Any

from services.ingest import peers
from services.ingest.reading import Reading
from services.ingest.recipients import resolve
from services.ingest.spam import SpamField, verdict
from shared.addresses import AddressBook
from shared.config.intake import ContactForm
from shared.config.models import Desk
from shared.mongo import Document


class Intake:
    """Asked about each mail once its sender's check is done; ``desk`` is the configuration."""

    def __init__(self, desk: Callable[[], Desk], book: AddressBook) -> None:
        self._desk = desk
        self._book = book

    def believe(self, row: Document, reading: Reading) -> str:
        """Add to the reading which trusted form the mail came by, and whether it is spam.

        Gives why the mail is to be withheld from the desk; empty for most.
        """
        desk = self._desk()
        form = form_of(row, reading.fields, desk)
        if form:
            reading.fields["form"] = form.name
        spam = self._spam(row, reading, desk)
        reading.fields["spam"] = spam
        return spam if desk.intake.spam.action == "quarantine" else ""

    def _spam(self, row: Document, reading: Reading, desk: Desk) -> str:
        """What our filter says of a mail that is no answer and that no operator let through."""
        fields = [SpamField(*one) for one in reading.fields.pop("spam_fields", ())]
        hops = reading.fields.pop("hop_count", 0)
        if not fields or desk.intake.spam.action == "ignore" or row.get("let_through"):
            return ""
        if not _is_filtered(row, desk) or is_answer(row, self._book):
            return ""
        return verdict(fields, hops, desk.intake.spam)


def is_answer(row: Document, book: AddressBook) -> bool:
    """Whether it goes to an address that only somebody knows whom we wrote to."""
    token = book.read(row["recipient"], row["received_at"])
    return token is not None and token.state == "valid"


def _is_filtered(row: Document, desk: Desk) -> bool:
    """Whether a host behind the filter handed the mail in; what we fetched has no client."""
    client = str(row.get("client", ""))
    return not client or peers.is_listed(client, desk.intake.spam.relays or desk.door.exempt)


def form_of(row: Document, fields: dict[str, Any], desk: Desk) -> ContactForm | None:
    """The configured form that the mail provably is from, and that names one person to answer.

    Anybody can write the form's address into From: the form's own host hands the mail in, or the
    mail passes DMARC.
    """
    if fields.get("from_count") != 1 or fields.get("bounce") or not _has_one_reply_to(fields, desk):
        return None
    sender = str(fields.get("from_addr", "")).lower()
    for form in desk.intake.forms:
        if form.sender == sender and _is_meant(form, row) and _is_proven(form, row, fields):
            return form
    return None


def _has_one_reply_to(fields: dict[str, Any], desk: Desk) -> bool:
    """Whether Reply-To is one address, and none of the desk's own, which would write to itself."""
    address = str(fields.get("reply_to", ""))
    return fields.get("reply_to_count") == 1 and "@" in address and resolve(desk, address) is None


def _is_meant(form: ContactForm, row: Document) -> bool:
    return not form.mailboxes or row["mailbox"] in form.mailboxes


def _is_proven(form: ContactForm, row: Document, fields: dict[str, Any]) -> bool:
    if form.envelope and str(row["envelope_from"]).strip("<>").lower() != form.envelope:
        return False
    if form.relays:
        client = str(row.get("client", ""))
        return bool(client) and peers.is_listed(client, form.relays)
    return bool(fields.get("authentication", {}).get("dmarc") == "pass")
