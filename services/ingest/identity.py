"""Tells mails apart before the 250, from the raw bytes and without parsing MIME.

The key is (mailbox, Message-ID, hash of the headers and the body that a relay does not touch):
senders reuse Message-IDs for different mails, and one mail may be meant for two mailboxes.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

HEADER_SCAN_BYTES = 1024 * 1024
ID_CHARS = 40
_STABLE = (b"from", b"to", b"cc", b"date", b"subject", b"message-id")
_FIELD = re.compile(
    rb"^(from|to|cc|date|subject|message-id|received)[ \t]*:([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)",
    re.IGNORECASE | re.MULTILINE,
)
_NO_LINE_END = bytes(sorted(set(range(256)) - set(b"\r\n")))
_BARE_NEWLINE = re.compile(rb"\r+\n|\n|\r")
_MESSAGE_ID = re.compile(rb"<([^<>\s]{1,998})>")


@dataclass(frozen=True)
class Scan:
    """What a look at the raw headers yields; ``digest`` is of the stable headers and the body."""

    message_id: str  # "" where there is none, without angle brackets
    received_count: int
    is_dated: bool
    digest: bytes


def with_crlf(raw: bytes) -> tuple[bytes, bool]:
    """Give the mail with CRLF as its only line end, and whether that changed it.

    A lone CR or LF becomes a line end and a line end with too many CRs becomes one, so that all
    who read the mail later see the same lines (RFC 5321, 2.3.8 allows neither).
    """
    ends = raw.translate(None, _NO_LINE_END)
    if ends == b"\r\n" * (len(ends) // 2):
        return raw, False
    return _BARE_NEWLINE.sub(b"\r\n", raw), True


def scan(raw: bytes) -> Scan:
    """Read the fields that tell mails apart; folding and white space do not matter."""
    end = raw.find(b"\r\n\r\n", 0, HEADER_SCAN_BYTES)
    end = min(len(raw), HEADER_SCAN_BYTES) if end < 0 else end
    fields: dict[bytes, list[bytes]] = {}
    for match in _FIELD.finditer(raw, 0, end):
        fields.setdefault(match[1].lower(), []).append(match[2])
    received = fields.pop(b"received", [])
    digest = hashlib.sha256()
    for name in _STABLE:
        for value in fields.get(name, []):
            digest.update(name + b":" + b" ".join(value.split()) + b"\n")
    digest.update(b"\n")
    digest.update(_body(raw, end))
    return Scan(
        message_id=_message_id(fields.get(b"message-id", [b""])[0]),
        received_count=len(received),
        is_dated=b"date" in fields,
        digest=digest.digest(),
    )


def inbound_id(mailbox: str, found: Scan, received_at: datetime) -> str:
    """The id of this mail in this mailbox: the same for each try of a sender.

    A mail with neither Message-ID nor Date cannot be told from the next alarm with the same words,
    so only repeats within an hour are taken for the same.
    """
    hour = ""
    if not found.message_id and not found.is_dated:
        hour = received_at.strftime("%Y%m%d%H")
    key = f"{mailbox}\n{found.message_id}\n{hour}\n".encode("utf-8", "surrogateescape")
    return hashlib.sha256(key + found.digest).hexdigest()[:ID_CHARS]


def _body(raw: bytes, start: int) -> memoryview:
    """Everything after the headers but empty lines at the end, which relays add and remove."""
    end = len(raw)
    while end > start and raw[end - 1] in b"\r\n":
        end -= 1
    return memoryview(raw)[start:end]


def _message_id(value: bytes) -> str:
    match = _MESSAGE_ID.search(value)
    text = match[1] if match else b"".join(value.split())[:998]
    return text.decode("ascii", "replace")
