"""Which permanent failures say that an address takes no mail at all (RFC 3463, 3)."""

import re

_STATUS = re.compile(r"5\d\d[ -](5\.\d{1,3}\.\d{1,3})\b")
_GONE = re.compile(r"5\.(1\.\d{1,3}|2\.1|4\.4)")
"""No such mailbox or domain; mailbox closed; no host for the domain."""
_SENDERS_FAULT = ("5.1.7", "5.1.8")
_UNSPECIFIC = ("5.0.0", "5.5.0")
"""What systems say that know no better; then the words decide."""
_FULL = re.compile(r"quota|mailbox[\w ]* full|full mailbox|storage", re.IGNORECASE)
_REFUSED_MAIL = re.compile(
    r"too (large|big)|size|spam|polic(y|ies)|block|reputation|content|virus|denied|authentic",
    re.IGNORECASE,
)


def is_dead(status: str, words: str) -> bool:
    """Whether this failure ends all mail to its address.

    Never so for a passing trouble (4.x.x), a full mailbox, a mail that was refused for what it is
    (5.3, 5.6, 5.7) or for who sent it.
    """
    if status in _SENDERS_FAULT or _FULL.search(words):
        return False
    if status in _UNSPECIFIC:
        return not _REFUSED_MAIL.search(words)
    return _GONE.fullmatch(status) is not None


def status_of(reply: str) -> str:
    """The enhanced code at the beginning of an SMTP reply; empty where there is none."""
    found = _STATUS.match(reply)
    return found[1] if found else ""
