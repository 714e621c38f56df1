"""Content-Type and Content-Disposition with their parameters: RFC 2045, RFC 2231 and worse."""

import re
from urllib.parse import unquote_to_bytes

from services.ingest.parse.charsets import decode
from services.ingest.parse.encoded_words import decode_words, tidy, unfold

_QUOTED_PAIR = re.compile(rb'\\(["\\])')
_SECTION = re.compile(r"^([^*]+)\*(\d{1,3})?(\*)?$")
_QUOTE, _SEMICOLON = b'";'
_MAX_HEAD = 300  # bytes before the first semicolon
_MAX_PARAMETERS = 100  # of a header; real mail has a handful


def split_value(raw: bytes) -> tuple[str, dict[str, str]]:
    """Return the value in lower case and its parameters, decoded, names in lower case."""
    head, *rest = _segments(unfold(raw))
    if b"=" in head[:_MAX_HEAD] and (match := _NO_SEMICOLON.match(head[:_MAX_HEAD])):
        head, rest = match[1], [match[2], *rest]
    value = "".join(_COMMENT.sub(b"", head).decode("ascii", "replace").split()).lower()
    plain: dict[str, bytes] = {}
    for segment in rest[:_MAX_PARAMETERS]:
        name, _, text = segment.partition(b"=")
        key = name.strip().decode("ascii", "replace").lower()
        if key and text and key not in plain:
            plain[key] = text.strip()
    return value, _decoded(plain)


# "text/plain charset=utf-8", or a parameter without any value before it.
_NO_SEMICOLON = re.compile(rb"\s*([^\s;=\"(]*?)\s*\b([\w*-]+\s*=.*)", re.DOTALL)
_COMMENT = re.compile(rb"\([^()]*\)")


def _segments(raw: bytes) -> list[bytes]:
    """Split at semicolons outside quotes; a quote that is never closed counts as a character."""
    if b'"' not in raw:
        return raw.split(b";", _MAX_PARAMETERS + 1)
    out: list[bytes] = []
    start = position = 0
    while position < len(raw):
        char = raw[position]
        if char == _QUOTE:
            close = _closing_quote(raw, position + 1)
            position = close if close > 0 else position
        elif char == _SEMICOLON:
            out.append(raw[start:position])
            start = position + 1
        position += 1
        if len(out) > _MAX_PARAMETERS:
            break
    out.append(raw[start:])
    return out


def _closing_quote(raw: bytes, position: int) -> int:
    while (close := raw.find(b'"', position)) > 0:
        backslashes = len(raw[:close]) - len(raw[:close].rstrip(b"\\"))
        if backslashes % 2 == 0 or close == len(raw) - 1:
            return close
        position = close + 1
    return -1


def _unquoted(text: bytes) -> bytes:
    if text[:1] == b'"':
        close = _closing_quote(text, 1)
        inner = text[1:close] if close > 0 else text[1:]
        return _QUOTED_PAIR.sub(rb"\1", inner)
    return text.strip(b"\"' \t") if text[:1] == b"'" and text[-1:] == b"'" else text


def _decoded(plain: dict[str, bytes]) -> dict[str, str]:
    out: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[bool, bytes]]] = {}
    for key, text in plain.items():
        match = _SECTION.match(key)
        if match is None:
            out[key] = tidy(decode_words(_unquoted(text)))
            continue
        is_extended = match[3] is not None or match[2] is None
        sections.setdefault(match[1], {})[int(match[2] or 0)] = (is_extended, _unquoted(text))
    for key, parts in sections.items():
        if joined := _joined(parts):
            out[key] = joined
    return out


def _joined(parts: dict[int, tuple[bool, bytes]]) -> str:
    """Join RFC 2231 sections; the charset stands in the first, percent signs in the marked ones."""
    ordered = [parts[number] for number in sorted(parts)]
    charset, is_extended = "", ordered[0][0]
    if is_extended and ordered[0][1].count(b"'") >= 2:  # noqa: PLR2004 - charset'language'text
        label, _, text = ordered[0][1].split(b"'", 2)
        charset = label.decode("ascii", "replace")
        ordered[0] = (True, text)
    data = b"".join(unquote_to_bytes(text) if extended else text for extended, text in ordered)
    if not charset and b"=?" in data:
        return tidy(decode_words(data))
    return tidy(decode(data, charset))
