"""What the raw headers alone say, for a mail that defeats the parser: linear, cannot fail."""

from contextlib import suppress

from services.ingest.parse.addresses import Mailbox, mailboxes, unclear
from services.ingest.parse.encoded_words import header_text
from services.ingest.parse.headers import Headers, split_headers
from services.ingest.parse.identifiers import date_of, first_id, message_ids
from services.ingest.parse.mail import Mail

_HEAD_BYTES = 64 * 1024  # a stub needs no more of the header block
_VALUE_BYTES = 4 * 1024  # of one header


def minimal(raw: bytes, defect: str = "could not be read") -> Mail:
    """Return a stub: sender, recipients, subject and ids as far as the headers give them.

    It is marked automated, so that nothing answers a mail that nobody has understood.
    """
    headers = Headers()
    with suppress(Exception):
        headers = _bounded(split_headers(raw[:_HEAD_BYTES], is_root=True)[0])
    stub = Mail(automated=True, defect=defect)
    with suppress(Exception):
        stub = _filled(headers, defect)
    return stub


def _bounded(headers: Headers) -> Headers:
    return Headers.of([(name, value[:_VALUE_BYTES]) for name, value in headers.fields])


def _filled(headers: Headers, defect: str) -> Mail:
    senders = [box for value in headers.all("from") for box in mailboxes(value)]
    sender = senders[0] if senders else Mailbox("", "")
    return Mail(
        subject=header_text(headers.get("subject")),
        from_addr=sender.address,
        from_name=sender.name,
        from_count=len(senders) + unclear(headers.all("from")),
        to_addrs=[box.address for box in mailboxes(headers.get("to")) if box.address],
        message_id=first_id(headers.get("message-id")),
        in_reply_to=first_id(headers.get("in-reply-to")),
        references=message_ids(headers.get("references")),
        date=date_of(headers.get("date")),
        automated=True,
        defect=defect,
    )
