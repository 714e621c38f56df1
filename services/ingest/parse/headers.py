"""A header block read from raw bytes: order, repeats and raw values are kept."""

import re
from dataclasses import dataclass, field

_NAME = re.compile(rb"([!-9;-~]+)[ \t]*:")
_ENVELOPE_LINE = re.compile(rb">?From +[^ :]")
_FIELD_START = re.compile(rb"[!-9;-~]+[ \t]*:(?=[ \t\r\n]|\Z)|[!-9;-~]{2,40}:")


@dataclass(frozen=True, slots=True)
class Headers:
    """The fields of one block, in order: lower-case name and raw value, not unfolded."""

    fields: tuple[tuple[str, bytes], ...] = ()
    _first: dict[str, bytes] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, fields: list[tuple[str, bytes]]) -> "Headers":
        """Index the fields so that the first of each name is found at once."""
        first: dict[str, bytes] = {}
        for name, value in fields:
            first.setdefault(name, value)
        return cls(tuple(fields), first)

    def get(self, name: str) -> bytes:
        """Return the first value of a lower-case name, b"" when there is none."""
        return self._first.get(name, b"")

    def all(self, name: str) -> list[bytes]:
        """Return every value of a lower-case name, topmost first."""
        return [value for key, value in self.fields if key == name]

    def word(self, name: str) -> str:
        """Return a value for comparing: ASCII, lower case, one space between words."""
        return " ".join(self.get(name).decode("ascii", "replace").lower().split())

    def __contains__(self, name: str) -> bool:
        return name in self._first


def split_headers(data: bytes, *, is_root: bool = False) -> tuple[Headers, int]:
    """Read the block at the start of the bytes; return it and where the body begins.

    A line that is no field ends the block (RFC 5322, 2.2), unless fields go on after it.
    """
    fields: list[tuple[str, bytes]] = []
    position = _after_envelope_line(data) if is_root else 0
    while position < len(data):
        end = data.find(b"\n", position) + 1 or len(data)
        line = data[position:end]
        bare = line.strip(b"\r\n")
        if not bare:
            return Headers.of(fields), end
        if bare[:1] in b" \t" and fields:
            if not bare.strip() and not _goes_on(data, end):
                return Headers.of(fields), end
            fields[-1] = (fields[-1][0], fields[-1][1] + b"\n" + bare)
        elif match := _NAME.match(bare):
            fields.append((match[1].decode("ascii").lower(), bare[match.end() :].strip(b" \t")))
        elif bare[:1] in b" \t" and is_root and _goes_on(data, end):
            pass  # folded, and the field it belonged to is lost
        elif fields and _goes_on(data, end):
            fields[-1] = (fields[-1][0], fields[-1][1] + b"\n " + bare)
        else:
            return Headers.of(fields), position
        position = end
    return Headers.of(fields), len(data)


def _after_envelope_line(data: bytes) -> int:
    """Skip blank lines, a byte order mark and mbox's "From " line before the first field."""
    start = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    match = re.compile(rb"[ \t\r\n]{0,200}").match(data, start)
    ahead = match.end() if match else start
    if _ENVELOPE_LINE.match(data, ahead):
        return data.find(b"\n", ahead) + 1 or len(data)
    return ahead if ahead > start and _FIELD_START.match(data, ahead) else start


def _goes_on(data: bytes, position: int) -> bool:
    return _FIELD_START.match(data, position) is not None
