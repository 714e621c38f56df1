"""Where a text says whose words follow: "On Monday Ann wrote:", wrapped or not."""

from services.ingest.parse.lines import Line
from services.ingest.parse.words.attribution import (
    ADDRESS,
    BETWEEN_RULES,
    COLON_END,
    DATE,
    OPENER,
    QUOTING,
    VERB,
)

MAX_WRAPPED = 4  # lines over which mail programs wrap such a line
MAX_BLANK = 3  # lines between it and what it introduces
_MAX_CHARACTERS = 400
_COLONS = frozenset(":：︰;")
_ENDS = _COLONS | frozenset("*_-")


def likely_starts(lines: list[Line]) -> set[int]:
    """The only lines on which an attribution can begin: to try all of a mail's is slow."""
    found: set[int] = set()
    for index, line in enumerate(lines):
        text = line.text.rstrip()
        if line.depth or line.mark or "@" in text or text[-1:] in _ENDS:
            found.update(range(index - MAX_WRAPPED - MAX_BLANK, index + 1))
    return found


def attribution_at(lines: list[Line], start: int) -> int:
    """Return the index after the attribution that begins on the line, or ``start`` for none."""
    first = lines[start]
    if not first.text.strip() or len(first.text) > _MAX_CHARACTERS:
        return start
    if first.mark == "attribution":
        return _marked_end(lines, start)
    joined = ""
    for end in range(start, min(len(lines), start + MAX_WRAPPED)):
        line = lines[end]
        text = line.text.strip()
        if line.depth != first.depth or not text:
            break
        joined = f"{joined} {text}" if joined else text
        if _may_end(joined, lines, end + 1) and _is_attribution(
            joined, lines, end + 1, wrapped=end > start
        ):
            return end + 1
    return start


def _marked_end(lines: list[Line], start: int) -> int:
    end = start
    while end < len(lines) and lines[end].mark == "attribution":
        end += 1
    return end


def _may_end(text: str, lines: list[Line], after: int) -> bool:
    """Look cheaply before the expressions are tried; most lines of a mail end here."""
    if text[-1] in _ENDS and (text.rstrip("*_ ")[-1:] in _COLONS or _is_ruled(text)):
        return True
    if quote_follows(lines, after):
        return True
    return "@" in text and any(c.isdigit() for c in text)


def _is_ruled(text: str) -> bool:
    return text.startswith("--") and text.endswith("--") and any(c.isalpha() for c in text)


def _is_attribution(text: str, lines: list[Line], after: int, *, wrapped: bool) -> bool:
    if len(text) > _MAX_CHARACTERS or QUOTING.match(text):
        return len(text) <= _MAX_CHARACTERS
    is_quoted = quote_follows(lines, after)
    opens = OPENER.match(text) is not None
    if VERB.search(text) is None:
        return _names_date_and_address(text, is_quoted=is_quoted, may_stand=opens or not wrapped)
    if BETWEEN_RULES.match(text):
        return True
    has_date, has_address = bool(DATE.search(text)), bool(ADDRESS.search(text))
    if COLON_END.search(text) is None:
        return (has_date or has_address) and (
            (is_quoted and (not wrapped or opens))
            or (opens and not wrapped and _ends_with_verb(text))
        )
    if wrapped and not opens:
        return is_quoted and (has_date or has_address) and _names_someone_early(text)
    is_likely = (has_date or has_address) and (opens or _verb_is_late(text))
    return is_quoted or is_likely or (has_date and has_address)


def _names_date_and_address(text: str, *, is_quoted: bool, may_stand: bool) -> bool:
    """Without a verb: "02.11.2026, 09:00, "Ann" <ann@customer.example>:" as in Russia or Japan."""
    if not (DATE.search(text) or ADDRESS.search(text)):
        return False
    starts_with_date = DATE.match(text.strip()) is not None
    if is_quoted and starts_with_date and ADDRESS.search(text):
        return True
    if COLON_END.search(text) is None:
        return False
    if is_quoted and (may_stand or starts_with_date):
        return True
    return (
        may_stand
        and OPENER.match(text) is not None
        and _address_is_last(text)
        and bool(DATE.search(text))
    )


def quote_follows(lines: list[Line], start: int) -> bool:
    """Whether the next line that is not blank is quoted deeper than the text before."""
    depth = lines[start - 1].depth if start else 0
    for index in range(start, min(len(lines), start + MAX_BLANK + 1)):
        line = lines[index]
        if line.text and not line.text.isspace():
            return line.depth > depth or line.mark == "history"
    return False


def _verb_is_late(text: str) -> bool:
    matches = list(VERB.finditer(text))
    return bool(matches) and matches[-1].end() >= len(text.rstrip(" :：*_")) - 1


def _ends_with_verb(text: str) -> bool:
    return _verb_is_late(text) and bool(ADDRESS.search(text)) and bool(DATE.search(text))


def _address_is_last(text: str) -> bool:
    matches = list(ADDRESS.finditer(text))
    return bool(matches) and len(text) - matches[-1].end() <= 6  # noqa: PLR2004 - brackets and the colon


def _names_someone_early(text: str) -> bool:
    match = ADDRESS.search(text) or DATE.search(text)
    return match is not None and match.start() < 80  # noqa: PLR2004 - a line's width
