"""Signatures and footers, taken off the end of what somebody wrote."""

import re

from services.ingest.parse.lines import Line
from services.ingest.parse.words.casing import lowered
from services.ingest.parse.words.footers import (
    CONTACT,
    DASHED_NAME,
    LIST_FOOTER,
    LIST_RULE,
    MAX_MOBILE_CHARACTERS,
    MOBILE,
    MOBILE_LAST,
    NAME,
    ROW,
    SCANNER,
    SCANNER_RULE,
    SENT_LAST_WORDS,
    SEPARATOR,
)

_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)|\s*<https?://[^>]*>")
_MAX_SIGNATURE = 18  # lines; what is longer after a loose dash is text
_NEAR = 60  # lines from the end, blank ones counted
_MAX_FOOTER = 12
_ROW = 6  # characters; a shorter row stands above a name only
_MAX_WRITTEN = 600  # characters of a footer with its link
_FEW_SPACES = 3  # "Example Inc." ends with a full stop and is no sentence
_MAX_CARD, _CARD_WIDTH = 5, 50  # lines and characters of a name with what stands below it


def is_footer(line: Line) -> bool:
    """Whether the line is a phone's or a mail program's advertisement of itself."""
    text = line.text.strip()
    if len(text) > _MAX_WRITTEN:
        return False
    if "[" in text or "<" in text:
        text = _LINK.sub(r"\1", text)
    if not 4 < len(text) <= MAX_MOBILE_CHARACTERS:  # noqa: PLR2004
        return False
    text = lowered(text)
    if MOBILE.match(text):
        return True
    return any(word in text for word in SENT_LAST_WORDS) and bool(MOBILE_LAST.match(text))


def without_signature(lines: list[Line]) -> list[Line]:
    """Return the lines up to the signature, without footers."""
    lines = [line for line in lines if line.mark != "signature"]
    lines = _without_list_footer(lines)
    cut = _separator(lines)
    if cut is not None:
        lines = lines[:cut]
    return _without_name(_without_mobile(lines))


def _separator(lines: list[Line]) -> int | None:
    """Find the line "-- " (RFC 3676, 4.3), or a like one near the end."""
    quoted = [index for index, line in enumerate(lines) if line.depth]
    for index in range(quoted[-1] + 1 if quoted else 0, len(lines)):
        written = lines[index].written or lines[index].text
        if written == "-- " or (index >= len(lines) - _NEAR and _is_loose(lines, index, written)):
            return index
    return None


def _is_loose(lines: list[Line], index: int, written: str) -> bool:
    """Whether a dash or a row without the RFC's space stands above a signature."""
    if not (ROW.match(written) or SEPARATOR.match(written)):
        return False
    below = lines[index + 1 :]
    rest = [line for line in below if line.text.strip()]
    is_apart = index == 0 or not lines[index - 1].text.strip()
    is_one_block = all(line.text.strip() for line in _trimmed(below))
    if ROW.match(written):
        is_card = is_apart and is_one_block and _is_card([line.text.strip() for line in rest])
        return is_card or (len(written.strip()) >= _ROW and _is_contact_block(rest))
    return (
        SEPARATOR.match(written) is not None
        and len(rest) <= _MAX_SIGNATURE
        and (is_apart or is_one_block)
    )


def _is_contact_block(rest: list[Line]) -> bool:
    """Whether the last lines below a row of dashes are somebody's address, as in Japan."""
    return len(rest) <= _MAX_FOOTER and any(CONTACT.search(x.text) for x in rest)


def _is_card(rest: list[str]) -> bool:
    """Whether a few short lines read like a name with a firm or a place below it."""
    if not 0 < len(rest) <= _MAX_CARD:
        return False
    return NAME.match(rest[0]) is not None and all(
        len(text) <= _CARD_WIDTH and (text[-1] not in ".!?:" or text.count(" ") < _FEW_SPACES)
        for text in rest
    )


def _without_name(lines: list[Line]) -> list[Line]:
    """Drop a last line like "-Ann Example", with which some sign."""
    lines = _trimmed(lines)
    is_signed = len(lines) > 1 and not lines[-1].depth and DASHED_NAME.match(lines[-1].text)
    return _trimmed(lines[:-1]) if is_signed and not lines[-2].text.strip() else lines


def _without_mobile(lines: list[Line]) -> list[Line]:
    """Drop footer lines near the end, where phones and mail programs put them."""
    own = [i for i, line in enumerate(lines) if not line.depth and line.text.strip()]
    footers = {i for i in own[-_MAX_FOOTER:] if is_footer(lines[i])}
    return (
        _trimmed([line for i, line in enumerate(lines) if i not in footers]) if footers else lines
    )


def _without_list_footer(lines: list[Line]) -> list[Line]:
    for index in range(max(0, len(lines) - _MAX_FOOTER), len(lines)):
        is_rule = LIST_RULE.match(lines[index].text) is not None or lines[index].mark == "rule"
        if is_rule and not lines[index].depth:
            rest = " ".join(x.text for x in lines[index + 1 :])
            if LIST_FOOTER.search(rest):
                return lines[:index]
        if SCANNER_RULE.match(lines[index].text) and not lines[index].depth:
            following = next((x.text for x in lines[index + 1 :] if x.text.strip()), "")
            if SCANNER.search(following):
                return lines[:index]
    return lines


def _trimmed(lines: list[Line]) -> list[Line]:
    while lines and not lines[-1].text.strip():
        lines = lines[:-1]
    return lines
