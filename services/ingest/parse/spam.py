"""What spam filters wrote into the header, and below how many hops it stands; judges nothing."""

from services.ingest.parse.headers import Headers

_NAMES = frozenset(
    {"x-spam", "x-spam-flag", "x-spam-status", "x-spam-score", "x-spam-level", "x-spamd-result"}
)
_MAX_FIELDS = 50
_VALUE_CHARS = 200
SpamField = tuple[int, str, str]
"""How many Received fields stand above it, its name in lower case, its value."""


def spam_fields(headers: Headers) -> list[SpamField]:
    """The fields of the known filters, topmost first."""
    found: list[SpamField] = []
    hops = 0
    for name, raw in headers.fields:
        if name == "received":
            hops += 1
        elif name in _NAMES and len(found) < _MAX_FIELDS:
            value = " ".join(raw.decode("ascii", "replace").split())
            found.append((hops, name, value[:_VALUE_CHARS]))
    return found


def hop_count(headers: Headers) -> int:
    """How many Received fields there are."""
    return len(headers.all("received"))
