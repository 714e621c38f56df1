"""Message ids and dates of a header block."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from services.ingest.parse.encoded_words import unfold

_ID = re.compile(r"<\s*([^<>]+?)\s*>")
_MAX_IDS = 200  # of one References header
_MAX_LENGTH = 998  # RFC 5322, 2.1.1


def message_ids(raw: bytes) -> list[str]:
    """Return the ids of a header without angle brackets, in order, each once."""
    text = unfold(raw).decode("utf-8", "replace")
    found = [re.sub(r"\s+", "", i) for i in _ID.findall(text)]
    if not found:
        words = text.strip("<> \t").split()
        found = [word.strip("<>,;\"'") for word in words if "@" in word]
        found = found or (words if len(words) == 1 else [])
    return [i[:_MAX_LENGTH] for i in dict.fromkeys(found) if i][:_MAX_IDS]


def first_id(raw: bytes) -> str:
    """Return the first id, "" when there is none."""
    found = message_ids(raw[:20_000])
    return found[0] if found else ""


def date_of(raw: bytes) -> datetime | None:
    """Return an aware time, None when the header says none that can be read."""
    text = unfold(raw).decode("ascii", "replace").strip()
    if not text or len(text) > 200:  # noqa: PLR2004 - no date is that long
        return None
    try:
        parsed = parsedate_to_datetime(text)
        return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
