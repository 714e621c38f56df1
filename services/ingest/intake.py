"""What the configuration lets the desk believe about a mail, beyond who vouches for its sender."""

from collections.abc import Callable
from typing import Any

from services.ingest import peers
from services.ingest.reading import Reading
from services.ingest.recipients import resolve
from shared.config.models import ContactForm, Desk
from shared.mongo import Document


class Intake:
    """Asked about each mail once its sender's check is done; ``desk`` is the configuration."""

    def __init__(self, desk: Callable[[], Desk]) -> None:
        self._desk = desk

    def believe(self, row: Document, reading: Reading) -> None:
        """Add to the reading which trusted form the mail came by, if any."""
        form = form_of(row, reading.fields, self._desk())
        if form:
            reading.fields["form"] = form.name


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
