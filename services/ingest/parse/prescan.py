"""Limits checked on the raw bytes before a parser sees them (RELIABILITY T13)."""

import re

MAX_HEADER_BYTES = 256 * 1024
MAX_HEADER_LINES = 1_000
MAX_LINE_BYTES = 16 * 1024
MAX_PARTS = 100
MAX_DEPTH = 20

_TYPE = b"content-type"
_FEW_COLONS = 2_000
_BLANK = re.compile(rb"\r?\n\r?\n")
_BOUNDARY = re.compile(
    rb"boundary\s*=\s*(?:\"([^\"\r\n]{1,200})\"|([^\s\";]{1,200}))", re.IGNORECASE
)
_NESTED = re.compile(
    rb"^content-type:\s*(?:multipart/|message/rfc822)", re.IGNORECASE | re.MULTILINE
)
_PART = re.compile(rb"^--[^\r\n]{1,200}\r?\n(?=content-|\r?\n)", re.IGNORECASE | re.MULTILINE)


def prescan(raw: bytes) -> str | None:
    """Return why the mail must not go to the parser, None when it may; linear in the size."""
    blank = _BLANK.search(raw)
    head_end = blank.start() if blank else len(raw)
    if head_end > MAX_HEADER_BYTES:
        return f"headers of more than {MAX_HEADER_BYTES} bytes"
    lines = raw[:head_end].split(b"\n")
    if len(lines) > MAX_HEADER_LINES:
        return f"more than {MAX_HEADER_LINES} header lines"
    if any(len(line) > MAX_LINE_BYTES for line in lines):
        return f"a header line of more than {MAX_LINE_BYTES} bytes"
    return _too_many_parts(raw)


def _too_many_parts(raw: bytes) -> str | None:
    if _boundary_lines(raw) < MAX_PARTS and _content_types(raw) <= MAX_DEPTH:
        return None  # as nearly all mails; the expressions below cost twenty times as much
    nested = 0
    for nested, _ in enumerate(_NESTED.finditer(raw), start=1):
        if nested > MAX_DEPTH * 5:
            return f"more than {MAX_DEPTH} nested containers"
    for count, _ in enumerate(_PART.finditer(raw), start=1):
        if count > MAX_PARTS:
            return f"more than {MAX_PARTS} parts"
    return None if nested <= MAX_DEPTH else _too_deep(raw)


def _boundary_lines(raw: bytes) -> int:
    """At least as many as there are; one octet is counted ten times as fast as three."""
    dashes = raw.count(b"-")
    return dashes // 2 if dashes < 2 * MAX_PARTS else raw.count(b"\n--")


def _content_types(raw: bytes) -> int:
    """A file in base64 has no colons, so what stands before each of them is soon looked at."""
    if raw.count(b":") > _FEW_COLONS:
        return raw.lower().count(_TYPE + b":")
    found, colon = 0, raw.find(b":")
    while colon >= 0:
        found += raw[max(0, colon - len(_TYPE)) : colon].lower() == _TYPE
        colon = raw.find(b":", colon + 1)
    return found


def _too_deep(raw: bytes) -> str | None:
    """Count containers that are open at one time, by their boundaries' first and last lines."""
    depth = deepest = 0
    for boundary in _boundaries(raw):
        depth += 1
        if raw.count(b"--" + boundary + b"--"):
            deepest = max(deepest, depth)
            depth -= 1
    return f"nested deeper than {MAX_DEPTH}" if max(deepest, depth) > MAX_DEPTH else None


def _boundaries(raw: bytes) -> list[bytes]:
    found = [a or b for a, b in _BOUNDARY.findall(raw)]
    return list(dict.fromkeys(found))[: MAX_DEPTH * 5]
