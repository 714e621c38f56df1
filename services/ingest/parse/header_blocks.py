"""Blocks of From:/Sent:/To:/Subject: lines that Outlook and others put above an older mail."""

import re
from dataclasses import dataclass, field

from services.ingest.parse.lines import Line
from services.ingest.parse.words.delimiters import split_marker
from services.ingest.parse.words.labels import LABELS, label_of

_MAX_LINES = 14  # of a block; long To lists wrap
_MAX_ONE_LINE = 600  # characters
_ENOUGH = 3  # labels of different kinds
_MAX_WRAPPED = 5  # lines of one wrapped value
_GLUED_LABEL = re.compile(
    r"(?<=[^\s*])\s*(\**\b(?:"
    + "|".join(re.escape(x.title()) for kind in LABELS for x in LABELS[kind] if len(x) > 1)
    + r") ?:(?=[ *]))"
)
_KINDS = frozenset({"from", "date", "to", "subject"})


@dataclass(frozen=True, slots=True)
class Block:
    """A header block in a text: its place and its values by kind, as written."""

    start: int
    end: int  # index of the first line after it
    values: dict[str, str] = field(default_factory=dict)


def block_at(lines: list[Line], start: int) -> Block | None:
    """Return the header block that begins on the line, None when there is none."""
    kind, value = label_of(lines[start].text)
    if kind not in _KINDS:
        return None
    values = {kind: value}
    position, wrapped, end = start + 1, 0, start + 1
    while position < min(len(lines), start + _MAX_LINES):
        text = lines[position].text
        kind, value = label_of(text)
        if kind and (kind not in values or kind in {"cc", "reply-to"}):
            values.setdefault(kind, value)
            wrapped, end = 0, position + 1
        elif not text.strip() or kind:
            if kind or _ends(lines, position, values):
                break
        elif wrapped >= _MAX_WRAPPED or "subject" in values:
            break
        else:
            last = list(values)[-1]
            values[last] = f"{values[last]} {text.strip()}"
            wrapped += 1
        position += 1
    return Block(start, end, values) if _is_block(values) else None


def unglued(lines: list[Line]) -> list[Line]:
    """Return the lines with a marker and the labels behind it on lines of their own."""
    out: list[Line] = []
    for line in lines:
        found = split_marker(line.text) or _one_line_block(line.text)
        if found is None:
            out.append(line)
            continue
        labels = _GLUED_LABEL.sub(r"\n\1", found[1]).split("\n")
        out += [Line(text.strip(), line.depth) for text in (found[0], *labels)]
    return out


def _one_line_block(text: str) -> tuple[str, str] | None:
    """Split "From: … Sent: … To: … Subject: …" where a line holds the whole block."""
    kind, _ = label_of(text)
    if kind != "from" or len(text) > _MAX_ONE_LINE:
        return None
    pieces = _GLUED_LABEL.sub(r"\n\1", text).split("\n")
    kinds = {label_of(piece)[0] for piece in pieces} & _KINDS
    return (pieces[0], "\n".join(pieces[1:])) if len(kinds) >= _ENOUGH else None


def _ends(lines: list[Line], position: int, values: dict[str, str]) -> bool:
    """A blank line ends a block, unless another label that is still missing follows it at once."""
    following = lines[position + 1].text if position + 1 < len(lines) else ""
    kind, _ = label_of(following)
    return not kind or kind in values or len(_KINDS & values.keys()) >= _ENOUGH


def _is_block(values: dict[str, str]) -> bool:
    known = _KINDS & values.keys()
    if "from" not in known or not values["from"]:
        return False
    return (
        len(known) >= _ENOUGH
        or ("date" in known and len(values) >= _ENOUGH)
        or known >= {"from", "date"}
        or (known >= {"from", "subject"} and "@" in values["from"])
    )
