"""Takes our own control fields out of what strangers send, before anything can read them."""

import re

from services.ingest.identity import HEADER_SCAN_BYTES

_OWN = re.compile(
    rb"^x-postdesk-[^\r\n]*(?:\r\n[ \t][^\r\n]*)*(?:\r\n|\Z)", re.IGNORECASE | re.MULTILINE
)


def without_own_fields(raw: bytes) -> bytes:
    """Give the mail without ``X-Postdesk-…`` in its headers; the body stays as it is."""
    end = raw.find(b"\r\n\r\n", 0, HEADER_SCAN_BYTES)
    end = min(len(raw), HEADER_SCAN_BYTES) if end < 0 else end + 2
    head = raw[:end]
    cleaned = _OWN.sub(b"", head)
    return raw if len(cleaned) == len(head) else cleaned + raw[end:]
