"""From a row of ``inbound`` and its reading to the record that tells the desk of the mail. Pure."""

from typing import Any

from services.ingest.reading import Reading
from shared.addresses import AddressBook
from shared.bus import Outgoing
from shared.contracts import topics
from shared.contracts.base import Meta
from shared.contracts.mail import MailReceived
from shared.mongo import Document

SOURCE = "postdesk/ingest"


def bare(row: Document, reason: str) -> Reading:
    """A reading of nothing but the envelope, where not even the headers could be read."""
    fields = {"message_id": row["message_id"][:998], "from_addr": row["envelope_from"][:320]}
    return Reading({**fields, "automated": True, "unreadable": reason[:300]}, wants_raw=True)


def announcement(
    row: Document, reading: Reading, blob_ids: list[str], raw_blob: str | None, book: AddressBook
) -> Outgoing:
    """The record; ``blob_ids`` are those of the reading's contents, in their order.

    The same mail gives the same id, however often it is read, until it is taken out of quarantine:
    then it is told of anew. Raises ValueError where the reading
    is not what a record can carry.
    """
    record = MailReceived.model_validate(
        {
            **_with_blobs(reading, blob_ids),
            "inbound_id": row["_id"],
            "mailbox": row["mailbox"],
            "recipient": row["recipient"],
            "token": book.read(row["recipient"], row["received_at"]),
            "envelope_from": row["envelope_from"],
            "client": row["client"][:60],
            "received_at": row["received_at"],
            "raw_blob": raw_blob,
            "size_bytes": row["size_bytes"],
            # The null path is for reports: to answer one would make a loop (RFC 5321, 4.5.5).
            "automated": reading.fields.get("automated", False) or not row["envelope_from"],
        }
    )
    return Outgoing(topics.MAIL_RECEIVED, _key(record), record, _meta(record, row))


def _with_blobs(reading: Reading, blob_ids: list[str]) -> dict[str, Any]:
    fields = dict(reading.fields)
    named = list(zip(reading.blobs, blob_ids, strict=True))
    files = [blob for name, blob in named if name == "file"]
    fields.update({f"{name}_blob": blob for name, blob in named if name != "file"})
    fields["attachments"] = [
        {**described, "blob": blob}
        for described, blob in zip(fields.get("attachments", []), files, strict=True)
    ]
    return fields


def _key(record: MailReceived) -> str:
    token = record.token
    if token and token.state == "valid" and token.ticket_id:
        return token.ticket_id
    if record.form:
        return record.reply_to.lower()
    return (record.from_addr or record.envelope_from or record.inbound_id).lower()


def _meta(record: MailReceived, row: Document) -> Meta:
    retries = row.get("retries", 0)
    return Meta(
        id=f"{record.inbound_id}.{retries}" if retries else record.inbound_id,
        source=SOURCE,
        time=record.received_at,
        subject=record.inbound_id,
        correlation_id=record.inbound_id,
    )
