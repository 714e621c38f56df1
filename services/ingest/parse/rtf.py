"""RTF of winmail.dat to text: LZFu decompression (MS-OXRTFCP) and control words dropped."""

import re
import struct

_DICTIONARY = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor "
    b"MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    b"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_WINDOW = 4096
_MAX_BYTES = 4_000_000  # of decompressed text
_TOKEN = re.compile(rb"\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-z'])|([{}])|([^\\{}\r\n]+)|[\r\n]+", re.DOTALL)
_SKIPPED = frozenset({b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"object", b"generator", b"themedata",
                      b"colorschememapping", b"latentstyles", b"datastore", b"xmlnstbl", b"listtable", b"pntext"})  # fmt: skip
_BREAKS = {b"par": "\n", b"line": "\n", b"tab": "\t", b"emdash": "—", b"endash": "–", b"lquote": "‘", b"rquote": "’",
           b"ldblquote": "“", b"rdblquote": "”", b"bullet": "•", b"cell": "\t", b"row": "\n"}  # fmt: skip


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
    if kind == 0x414C454D:  # "MELA": stored as it is
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
    out: list[str] = []
    stack: list[tuple[bool, int, bool]] = []
    skipped, unicode_skip, in_rtf, pending = False, 1, False, 0
    for match in _TOKEN.finditer(rtf):
        word, number, hexadecimal, symbol, brace, text = match.groups()
        if brace == b"{":
            stack.append((skipped, unicode_skip, in_rtf))
        elif brace == b"}" and stack:
            skipped, unicode_skip, in_rtf = stack.pop()
        elif word in _SKIPPED or (symbol == b"*" and not (is_html and rtf.startswith(b"\\htmltag", match.end()))):
            skipped = True
        elif word == b"htmlrtf":
            in_rtf = number != b"0"
        elif word == b"uc":
            unicode_skip = int(number or 1)
        elif skipped or in_rtf:
            continue
        elif word == b"u" and number:
            out.append(chr(int(number) % 65536))
            pending = unicode_skip
        elif word in _BREAKS:
            out.append(_BREAKS[word])
        elif hexadecimal:
            out.append("" if pending else bytes.fromhex(hexadecimal.decode()).decode("cp1252", "replace"))
            pending = max(pending - 1, 0)
        elif symbol in {b"\\", b"{", b"}"}:
            out.append(symbol.decode())
        elif symbol == b"~":
            out.append("\xa0")
        elif text:
            piece = text.decode("cp1252", "replace")
            out.append(piece[pending:])
            pending = 0
    return "".join(out)
