"""A line of a mail's text with its quote depth, the unit that quotes and forwards work on."""

import re
from dataclasses import dataclass

from services.ingest.parse.html_marks import Mark

_PREFIX = re.compile(r"^(?:[ ]?[>＞»] ?)+")
_PREFIX_START = frozenset(" >＞»")
_DIRECTION = re.compile(
    "[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)  # marks that only steer display
MAX_LINES = 20_000  # of one text; what follows is history or a log file


@dataclass(slots=True)
class Line:
    """One line; ``text`` is without its quote prefix when ``depth`` is above 0."""

    text: str
    depth: int = 0
    mark: Mark = ""
    written: str | None = None  # as plain text had it

    @property
    def shown(self) -> str:
        """The line as plain text shows it."""
        if self.written is not None:
            return self.written
        return ("> " * self.depth + self.text).rstrip() if self.depth else self.text


def plain_lines(text: str) -> list[Line]:
    """Return the lines of a plain text, quote prefixes counted and taken off."""
    steers = _DIRECTION.search(text) is not None
    return [_line(written, steers=steers) for written in text.split("\n")[:MAX_LINES]]


def _line(written: str, *, steers: bool) -> Line:
    text = _DIRECTION.sub("", written) if steers else written
    match = _PREFIX.match(text) if text[:1] in _PREFIX_START else None
    if match is None:
        return Line(text, 0, "", written) if len(text) < len(written) else Line(text)
    return Line(text[match.end() :], sum(match[0].count(c) for c in ">＞»"), "", written)


def joined(lines: list[Line]) -> str:
    """Return the lines as text, without blank lines at either end or more than two together."""
    text = "\n".join(line.shown.rstrip() for line in lines)
    return re.sub(r"\n{4,}", "\n\n\n", text).strip("\n").strip()
