"""RTF of winmail.dat to text: LZFu decompression (MS-OXRTFCP) and control words dropped."""

import re
import struct

_DICTIONARY = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern "
    b"\\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0"
    b"\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_STORED = 0x414C454D  # "MELA", MS-OXRTFCP 2.1.3.1.3
_WINDOW = 4096
_MAX_BYTES = 4_000_000  # of decompressed text
_TOKEN = re.compile(
    rb"\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-z'])|([{}])"
    rb"|([^\\{}\r\n]+)|[\r\n]+",
    re.DOTALL,
)
_SKIPPED = frozenset(
    b"fonttbl colortbl stylesheet info pict object generator themedata colorschememapping "
    b"latentstyles datastore xmlnstbl listtable pntext".split()
)
_SYMBOLS = {
    b"par": "\n", b"line": "\n", b"row": "\n", b"tab": "\t", b"cell": "\t", b"emdash": "—",
    b"endash": "–", b"lquote": "‘", b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”",
    b"bullet": "•", b"\\": "\\", b"{": "{", b"}": "}", b"~": "\xa0",
}  # fmt: skip


def rtf_text(compressed: bytes) -> tuple[str, str]:
    """Return plain text and, where HTML was wrapped in the RTF (MS-OXRTFEX), that HTML."""
    try:
        rtf = _decompressed(compressed)
    except (struct.error, IndexError):
        return "", ""
    if b"\\fromhtml" in rtf[:200]:
        return "", _plain(rtf, is_html=True)
    return _plain(rtf, is_html=False).strip(), ""


def _decompressed(data: bytes) -> bytes:
    _, raw_size, kind = struct.unpack_from("<III", data)
    if kind == _STORED:
        return data[16 : 16 + raw_size]
    window = bytearray(_DICTIONARY.ljust(_WINDOW, b"\x00"))
    at, out, position = len(_DICTIONARY), bytearray(), 16
    limit = min(raw_size, _MAX_BYTES)
    while position < len(data) and len(out) < limit:
        flags = data[position]
        position += 1
        for bit in range(8):
            if position >= len(data) or len(out) >= limit:
                break
            if not flags >> bit & 1:
                chunk, position = data[position : position + 1], position + 1
            else:
                pair = int.from_bytes(data[position : position + 2], "big")
                position += 2
                if pair >> 4 == at:
                    return bytes(out)
                chunk = _copied(window, pair >> 4, (pair & 15) + 2, at)
            for byte in chunk:
                window[at] = byte
                at = (at + 1) % _WINDOW
            out += chunk
    return bytes(out)


def _copied(window: bytearray, start: int, length: int, at: int) -> bytes:
    """Copy from the window; the source may run into what the copy itself writes."""
    out = bytearray()
    for index in range(length):
        source = (start + index) % _WINDOW
        ahead = (source - at) % _WINDOW
        out.append(out[ahead] if ahead < len(out) else window[source])
    return bytes(out)


def _plain(rtf: bytes, *, is_html: bool) -> str:
    reader = _Reader()
    for match in _TOKEN.finditer(rtf):
        word, number, hexadecimal, symbol, brace, text = match.groups()
        if brace:
            reader.group(brace)
        elif word or symbol:
            wraps_html = is_html and rtf.startswith(b"\\htmltag", match.end())
            reader.control(word or symbol, number, wraps_html=wraps_html)
        elif hexadecimal or text:
            reader.write(bytes.fromhex(hexadecimal.decode()) if hexadecimal else text)
    return "".join(reader.out)


class _Reader:
    """The state of a group: whether it shows anything, and how many characters stand for one."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self._outer: list[tuple[bool, bool, int]] = []
        self._skipped = False  # a group of settings
        self._in_rtf = False  # what stands beside wrapped HTML for programs that read RTF
        self._substitutes = 1  # characters after a Unicode one for programs that do not know it
        self._pending = 0

    def group(self, brace: bytes) -> None:
        if brace == b"{":
            self._outer.append((self._skipped, self._in_rtf, self._substitutes))
        elif self._outer:
            self._skipped, self._in_rtf, self._substitutes = self._outer.pop()

    def control(self, word: bytes, number: bytes | None, *, wraps_html: bool) -> None:
        if word in _SKIPPED or (word == b"*" and not wraps_html):
            self._skipped = True
        elif word == b"htmlrtf":
            self._in_rtf = number != b"0"
        elif word == b"uc":
            self._substitutes = int(number or 1)
        elif self._skipped or self._in_rtf:
            return
        elif word == b"u" and number:
            self.out.append(chr(int(number) % 0x10000))
            self._pending = self._substitutes
        else:
            self.out.append(_SYMBOLS.get(word, ""))

    def write(self, data: bytes) -> None:
        if self._skipped or self._in_rtf:
            return
        shown = data[self._pending :]
        self._pending = max(self._pending - len(data), 0)
        self.out.append(shown.decode("cp1252", "replace"))
