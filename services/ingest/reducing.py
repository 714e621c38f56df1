"""From a parsed mail to what a ``mail-received`` record can carry: pure, and run in a child.

Long texts, HTML and files leave the record as blobs; lists are cut until the rest fits.
"""

import mimetypes
from collections.abc import Collection
from typing import Any

import orjson

from services.ingest.authentication import authentication_of
from services.ingest.own_fields import without_own_fields
from services.ingest.parse import Attachment, Mail, minimal, parse
from services.ingest.parse.prescan import prescan
from services.ingest.reading import Reading
from shared.contracts.sizes import INLINE_TEXT_CHARS

FIELDS_BYTES = 56 * 1024  # of the 64 KiB of a record; the envelope and blob ids take the rest
BLOB_ID_BYTES = 110
MAX_ATTACHMENTS = 100
MAX_REFERENCES = 30
MAX_RECIPIENTS = 200
_SHRINKABLE = ("text", "reply_text", "to", "cc", "references", "attachments")


def mail_of(raw: bytes) -> Mail:
    """Parse, unless a look at the bytes says that this would cost too much; then the headers."""
    raw = without_own_fields(raw)
    reason = prescan(raw)
    return minimal(raw, reason) if reason else parse(raw)


def read(raw: bytes, trusted: Collection[str]) -> Reading:
    """Parse and cut to a record's size; ``trusted`` are the authserv-ids of our own relays."""
    return reading_of(mail_of(raw), trusted)


def read_headers(raw: bytes, reason: str) -> Reading:
    """Only what the raw headers say, of a mail that cannot be parsed for ``reason``."""
    return reading_of(minimal(without_own_fields(raw), reason), ())


def reading_of(mail: Mail, trusted: Collection[str]) -> Reading:
    """Cut the mail to a record's size; what is cut is in a blob."""
    text, reply_text = _clean(mail.text), _clean(mail.reply_text)
    fields = _fields(mail, trusted)
    fields["text"], fields["reply_text"] = text[:INLINE_TEXT_CHARS], reply_text[:INLINE_TEXT_CHARS]
    fields["attachments"] = [_described(a, n) for n, a in enumerate(mail.attachments, 1)]
    del fields["attachments"][MAX_ATTACHMENTS:]
    _fit(fields)
    reading = Reading(fields)
    for name, whole in (("text", text), ("reply_text", reply_text)):
        if len(whole) > len(fields[name]):
            reading.blobs.append(name)
            reading.contents.append(whole.encode())
    if mail.html:
        reading.blobs.append("html")
        reading.contents.append(_clean(mail.html).encode())
    kept = mail.attachments[: len(fields["attachments"])]
    reading.blobs += ["file"] * len(kept)
    reading.contents += [attachment.payload for attachment in kept]
    reading.wants_raw = bool(mail.defect) or len(kept) < len(mail.attachments)
    return reading


def _fields(mail: Mail, trusted: Collection[str]) -> dict[str, Any]:
    return {
        "from_addr": _clean(mail.from_addr, 320),
        "from_name": _clean(mail.from_name, 300),
        "from_count": mail.from_count,
        "authentication": authentication_of(mail, trusted),
        "reply_to": _clean(mail.reply_to[0] if mail.reply_to else "", 320),
        "reply_to_name": _clean(mail.reply_to_name, 300),
        "reply_to_count": mail.reply_to_count,
        "spam_fields": [list(one) for one in mail.spam_fields],
        "hop_count": mail.hop_count,
        "to": [_clean(one, 320) for one in mail.to_addrs[:MAX_RECIPIENTS]],
        "cc": [_clean(one, 320) for one in mail.cc_addrs[:MAX_RECIPIENTS]],
        "subject": _clean(mail.subject, 500),
        "message_id": _clean(mail.message_id, 998),
        "in_reply_to": _clean(mail.in_reply_to, 998),
        "references": _ends(mail.references),
        "thread_index": _clean(mail.thread_index, 400),
        "importance": mail.importance,
        "autoreply": mail.autoreply,
        "automated": mail.automated,
        "bounce": _bounce(mail),
        "forwarded_from": _clean(mail.forwarded_from, 320),
        "forwarded_subject": _clean(mail.forwarded_subject, 500),
        "unreadable": _clean(mail.defect, 300),
    }


def _bounce(mail: Mail) -> dict[str, Any] | None:
    if not mail.bounce_kind:
        return None
    return {
        "kind": mail.bounce_kind,
        "recipients": [_clean(one, 320) for one in mail.bounce_recipients[:20]],
        "message_id": _clean(mail.bounced_message_id, 998),
        "status": _clean(mail.bounce_status, 20),
        "diagnostic": _clean(" ".join(mail.bounce_diagnostic.split()), 400),
    }


def _described(attachment: Attachment, number: int) -> dict[str, Any]:
    name = attachment.name
    if not name:
        name = f"part-{number}{mimetypes.guess_extension(attachment.content_type) or '.bin'}"
    return {
        "name": _clean(name, 400),
        "content_type": _clean(attachment.content_type, 200),
        "size_bytes": len(attachment.payload),
        "content_id": _clean(attachment.content_id, 400),
        "inline": attachment.is_inline,
    }


def _ends(references: list[str]) -> list[str]:
    """Keep the first id, which names the thread, and the latest ones."""
    kept = references
    if len(references) > MAX_REFERENCES:
        kept = [references[0], *references[1 - MAX_REFERENCES :]]
    return [_clean(one, 998) for one in kept]


def _fit(fields: dict[str, Any]) -> None:
    """Shorten the longest field by a quarter until all fit; references lose their middle."""
    while _size(fields) + BLOB_ID_BYTES * len(fields["attachments"]) > FIELDS_BYTES:
        name = max(_SHRINKABLE, key=lambda name: _size(fields[name]))
        value = fields[name]
        kept = len(value) * 3 // 4
        if name == "references" and kept > 1:
            fields[name] = [value[0], *value[1 - kept :]]
        else:
            fields[name] = value[:kept]


def _size(value: Any) -> int:
    return len(orjson.dumps(value))


def _clean(text: str, chars: int | None = None) -> str:
    """Replace what UTF-8 cannot carry, and cut."""
    return text[:chars].encode("utf-8", "replace").decode()
