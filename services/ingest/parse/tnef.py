"""winmail.dat opened (MS-OXTNEF): the files in it and its text.

Own code, since tnefparse gives up on the whole stream at its first odd attribute.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from services.ingest.parse.charsets import decode
from services.ingest.parse.encoded_words import tidy
from services.ingest.parse.rtf import rtf_text

TNEF_TYPES = frozenset({"application/ms-tnef", "application/vnd.ms-tnef", "application/x-ms-tnef"})
_SIGNATURE = b"\x78\x9f\x3e\x22"
_MAX_DEPTH = 5  # mails inside mails

# Attributes, MS-OXTNEF 2.1.3.2.
_BODY, _ATTACH_DATA, _ATTACH_TITLE = 0x800C, 0x800F, 0x8010
_TRANSPORT_NAME, _RENDER_DATA, _MESSAGE_PROPERTIES, _ATTACHMENT, _CODEPAGE = (
    0x9001,
    0x9002,
    0x9003,
    0x9005,
    0x9007,
)
# Properties, MS-OXPROPS.
_P_BODY, _P_RTF, _P_HTML, _P_CODEPAGE = 0x1000, 0x1009, 0x1013, 0x3FDE
_P_DATA, _P_SHORT_NAME, _P_LONG_NAME, _P_DISPLAY_NAME, _P_TRANSPORT = (
    0x3701,
    0x3704,
    0x3707,
    0x3001,
    0x370C,
)
_P_MIME_TYPE, _P_CONTENT_ID = 0x370E, 0x3712
_MESSAGE_OBJECT = b"\x07\x03\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"
_FIXED_SIZES = {
    0x02: 4,
    0x03: 4,
    0x04: 4,
    0x0A: 4,
    0x0B: 4,
    0x05: 8,
    0x06: 8,
    0x07: 8,
    0x14: 8,
    0x40: 8,
    0x48: 16,
}
_VARIABLE = frozenset({0x0D, 0x1E, 0x1F, 0x102})
_MULTIPLE, _NAMED, _UNICODE = 0x1000, 0x8000, 0x1F

Property = tuple[int, int, bytes]  # id, type, value


@dataclass
class File:
    """One file inside."""

    names: dict[int, str] = field(default_factory=dict)  # by where the name came from
    payload: bytes = b""
    content_type: str = ""
    content_id: str = ""

    @property
    def name(self) -> str | None:
        """The best of its names: long, title, short, transport, shown."""
        for source in (
            _P_LONG_NAME,
            _ATTACH_TITLE,
            _P_SHORT_NAME,
            _P_TRANSPORT,
            _TRANSPORT_NAME,
            _P_DISPLAY_NAME,
        ):
            if name := tidy(self.names.get(source, "")):
                return name
        return None


@dataclass
class Unpacked:
    """What a winmail.dat holds."""

    files: list[File] = field(default_factory=list)
    text: str = ""
    html: str = ""
    codepage: str = "cp1252"


def unpack(data: bytes, depth: int = 0) -> Unpacked | None:
    """Return the content of a TNEF stream, as far as it can be read; None when it is none."""
    if not data.startswith(_SIGNATURE):
        return None
    found = Unpacked()
    for number, value in _attributes(data):
        if number == _RENDER_DATA:
            found.files.append(File())
        elif number == _CODEPAGE and len(value) >= 4:  # noqa: PLR2004 - a 32-bit number
            found.codepage = f"cp{struct.unpack_from('<I', value)[0]}"
        elif number == _BODY:
            found.text = found.text or _string(value, found.codepage)
        elif number == _MESSAGE_PROPERTIES:
            _read_message(found, value)
        elif number in {_ATTACH_DATA, _ATTACH_TITLE, _TRANSPORT_NAME, _ATTACHMENT}:
            _read_attachment(found, number, value, depth)
    return found


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 6
    while position + 9 <= len(data):
        level, number, _, length = struct.unpack_from("<BHHI", data, position)
        if level not in {1, 2}:
            return
        position += 9
        yield number, data[position : position + length]
        position += length + 2  # a checksum


def _read_message(found: Unpacked, value: bytes) -> None:
    codepage, rtf = found.codepage, b""
    values = list(_properties(value))
    for number, kind, content in values:
        if number == _P_CODEPAGE and kind not in _VARIABLE and len(content) >= 4:  # noqa: PLR2004 - 32 bits
            codepage = f"cp{struct.unpack_from('<I', content)[0]}"
    codepage = "utf-8" if codepage == "cp65001" else codepage
    for number, kind, content in values:
        if number == _P_BODY:
            found.text = _text(kind, content, codepage) or found.text
        elif number == _P_HTML:
            found.html = _text(kind, content, codepage)
        elif number == _P_RTF:
            rtf = content
    if rtf and not found.text and not found.html:
        found.text, found.html = rtf_text(rtf)


def _read_attachment(found: Unpacked, number: int, value: bytes, depth: int) -> None:
    if not found.files:
        found.files.append(File())
    file = found.files[-1]
    if number == _ATTACH_DATA:
        file.payload = value
    elif number == _ATTACHMENT:
        _read_file_properties(file, value, found.codepage, depth)
    else:
        file.names[number] = _string(value, found.codepage)


def _read_file_properties(file: File, value: bytes, codepage: str, depth: int) -> None:
    for number, kind, content in _properties(value):
        if number == _P_DATA:
            is_object = kind == 0x0D  # noqa: PLR2004 - the property type PtypObject
            file.payload = content[16:] if is_object else content
            if is_object and content.startswith(_MESSAGE_OBJECT) and depth < _MAX_DEPTH:
                file.content_type = "application/ms-tnef"
        elif number == _P_MIME_TYPE:
            file.content_type = _text(kind, content, codepage).lower()
        elif number == _P_CONTENT_ID:
            file.content_id = _text(kind, content, codepage).strip("<>")
        elif number in {_P_LONG_NAME, _P_SHORT_NAME, _P_DISPLAY_NAME, _P_TRANSPORT}:
            file.names[number] = _text(kind, content, codepage)


def _properties(data: bytes) -> Iterator[Property]:
    """Yield properties until the list ends or stops making sense (MS-OXTNEF 2.1.3.4)."""
    try:
        yield from _Properties(data).read()
    except (struct.error, ValueError):
        return


class _Properties:
    """A reading position in a property list."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def read(self) -> Iterator[Property]:
        for _ in range(min(self._number(), len(self._data))):
            if self._at >= len(self._data):
                return
            kind, number = struct.unpack_from("<HH", self._data, self._at)
            self._at += 4
            if number >= _NAMED:
                self._skip_name()
            base = kind & ~_MULTIPLE
            count = self._number() if kind & _MULTIPLE or base in _VARIABLE else 1
            for value in self._values(base, count, is_multiple=bool(kind & _MULTIPLE)):
                yield number, base, value

    def _values(self, base: int, count: int, *, is_multiple: bool) -> Iterator[bytes]:
        size = _FIXED_SIZES.get(base, 0)
        if base not in _VARIABLE and not size:
            raise ValueError(base)
        if is_multiple and base in {0x02, 0x0B}:
            yield self._take(count * 2)
            return
        for _ in range(min(count, len(self._data))):
            yield self._take(self._number() if base in _VARIABLE else size)

    def _skip_name(self) -> None:
        self._at += 16
        if self._number() == 0:
            self._at += 4
        else:
            self._take(self._number())

    def _number(self) -> int:
        number: int = struct.unpack_from("<I", self._data, self._at)[0]
        self._at += 4
        return number

    def _take(self, size: int) -> bytes:
        value = self._data[self._at : self._at + size]
        self._at += size + -size % 4
        return value


def _text(kind: int, value: bytes, codepage: str) -> str:
    if kind == _UNICODE:
        return value.decode("utf-16-le", "replace").rstrip("\x00")
    return _string(value, codepage)


def _string(value: bytes, codepage: str) -> str:
    return decode(value.split(b"\x00")[0] if b"\x00" in value else value, codepage)
