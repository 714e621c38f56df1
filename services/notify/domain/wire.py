"""Mails as bytes: header fields, encoded words, transfer encodings, MIME parts.

The standard library's generator folds long ids into encoded words, which breaks threading
elsewhere, and costs more than a whole acknowledgement may; so the few forms used are made here.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

LINE_OCTETS = 998
"""Longest line without its CRLF (RFC 5322, 2.1.1)."""

_FOLD_AT = 76
_ENCODED_WORD_CHARS = 63  # 75 (RFC 2047, 2) without "=?utf-8?b?" and "?="
_FILE_NAME_OCTETS = 280  # percent-encoded it still fits into one line
_ENDING_CHARS = 12
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_ASCII_CONTROLS = bytes([*range(0x09), *range(0x0B, 0x20), 0x7F])
_BODY_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f]")
_SAFE_ADDRESS = re.compile(r"{0}+@{0}+".format(r"[!#-'*+\-./0-9=?@A-Z^-~]"))  # no <>(),;:\"[]
_SAFE_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*")
_Q_LITERAL = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!*+-/")


class UnsafeHeaderError(ValueError):
    """A value that must not be encoded holds something that a header cannot carry."""


@dataclass(frozen=True)
class File:
    """A part that is not the text: an attachment, or with ``content_id`` an inline image."""

    name: str
    content_type: str
    data: bytes
    content_id: str = ""


def cleaned(value: str) -> str:
    """``value`` on one line: controls and line separators become one space, halves of pairs ?."""
    if value.isprintable():  # then there is nothing of all this in it
        return value.strip()
    whole = value.encode("utf-8", "replace").decode("utf-8")
    return _CONTROLS.sub(" ", whole).strip()


def text_field(name: str, value: str) -> bytes:
    """An unstructured field; RFC 2047 where ASCII does not do; folded at spaces."""
    value = cleaned(value)
    if value.isascii() and "=?" not in value and _has_room(value, LINE_OCTETS - _FOLD_AT - 1):
        return _folded(f"{name}: {value}")
    return f"{name}: {_encoded_words(value, len(name) + 2)}\r\n".encode("ascii")


def plain_field(name: str, value: str) -> bytes:
    """A field that is never encoded: ids, URLs, keywords; folded at its spaces only.

    Raises UnsafeHeaderError for anything but printable ASCII and for a word that fits no line.
    """
    printable = value.isascii() and value.isprintable()
    if not printable or not _has_room(value, LINE_OCTETS - len(name) - 2):
        raise UnsafeHeaderError(f"{name} cannot carry this value")
    return _folded(f"{name}: {value}")


def mailbox_field(name: str, mailboxes: Sequence[tuple[str, str]]) -> bytes:
    """``[(display name, addr-spec)]``; raises UnsafeHeaderError for an address outside ASCII."""
    joined = ",\r\n ".join(_mailbox(*box) for box in mailboxes)
    return f"{name}: {joined}\r\n".encode("ascii")


def is_sendable(address: str) -> bool:
    """Whether the address can stand in a header and in RCPT TO without SMTPUTF8 (RFC 6531)."""
    return bool(_SAFE_ADDRESS.fullmatch(address))


def content(
    text: str, html: str, *, files: Sequence[File] = (), inline: Sequence[File] = (), seed: str
) -> bytes:
    """MIME fields, blank line and body; ``seed`` (a-z, 0-9) makes boundaries repeatable."""
    shown = _part("text/html; charset=utf-8", html)
    if inline:
        shown = _multipart("related", f"r.{seed}", [shown, *map(_file, inline)])
    body = _multipart("alternative", f"a.{seed}", [_part("text/plain; charset=utf-8", text), shown])
    if files:
        body = _multipart("mixed", f"m.{seed}", [body, *map(_file, files)])
    return b"MIME-Version: 1.0\r\n" + body


def _has_room(value: str, octets: int) -> bool:
    """Whether no word is longer than that."""
    return len(value) <= octets or max(map(len, value.split(" "))) <= octets


def _folded(line: str) -> bytes:
    """Break before single spaces, so that unfolding (RFC 5322, 2.2.3) gives the same value."""
    if len(line) <= _FOLD_AT:
        return f"{line}\r\n".encode("ascii")
    lines, current = [], ""
    for word in re.findall(r"^\S+: *\S*| +\S*", line):
        if current and len(current) + len(word) > _FOLD_AT and word.strip():
            lines.append(current)
            current = ""
        current += word
    lines.append(current)
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def _encoded_words(value: str, taken: int = 0) -> str:
    """Encoded words joined by folding white space, each of whole characters (RFC 2047, 5).

    ``taken`` is how much of the first line is used up; lines have at most 76 characters.
    """
    wide = sum(not char.isascii() for char in value) * 3 > len(value)
    mark, encode = ("b", _b_word) if wide else ("q", _q_word)
    words, current, used = [], "", 0
    room = _ENCODED_WORD_CHARS - taken
    for char in value:
        size = len(char.encode()) if wide else len(_q_word(char))
        if used + size > (room // 4 * 3 if wide else room):
            words.append(current)
            current, used, room = "", 0, _ENCODED_WORD_CHARS
        current, used = current + char, used + size
    words.append(current)
    return "\r\n ".join(f"=?utf-8?{mark}?{encode(word)}?=" for word in words)


def _b_word(value: str) -> str:
    return base64.b64encode(value.encode()).decode("ascii")


def _q_word(value: str) -> str:
    """The restricted form that is also right in a display name (RFC 2047, 5 (3))."""
    return "".join(
        chr(octet) if octet in _Q_LITERAL else "_" if octet == ord(" ") else f"={octet:02X}"
        for octet in value.encode()
    )


def _mailbox(display: str, address: str) -> str:
    if not is_sendable(address):
        raise UnsafeHeaderError("an address cannot stand in a header")
    display = cleaned(display)
    if not display:
        return address
    if display.isascii() and "=?" not in display and len(display) < LINE_OCTETS // 4:
        escaped = display.replace("\\", "\\\\").replace('"', '\\"')
        return (
            f'"{escaped}"\r\n <{address}>'
            if len(display) > _FOLD_AT
            else f'"{escaped}" <{address}>'
        )
    return f"{_encoded_words(display)}\r\n <{address}>"


def _part(content_type: str, text: str) -> bytes:
    """A text part with the lightest transfer encoding that keeps lines within the limit."""
    raw = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace")
    if raw.isascii():
        raw = raw.translate(None, _ASCII_CONTROLS)  # in a tenth of the pattern's time
        lines = raw.decode()
    else:
        lines = _BODY_CONTROLS.sub("", raw.decode())
        raw = lines.encode()
    if lines.isascii() and max(map(len, lines.split("\n"))) < LINE_OCTETS:
        encoding, body = "7bit", raw.replace(b"\n", b"\r\n")
    elif len(raw) - len(lines) > len(lines) // 4:
        encoding, body = "base64", _base64_lines(raw.replace(b"\n", b"\r\n"))
    else:
        encoding = "quoted-printable"
        body = binascii.b2a_qp(raw, istext=True).replace(b"\n", b"\r\n")
    head = f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode("ascii") + body


def _file(file: File) -> bytes:
    """Bytes are base64; a type that base64 may not carry (RFC 2046, 5) becomes octets."""
    kind = file.content_type.lower()
    if not _SAFE_TYPE.fullmatch(kind) or kind.startswith(("multipart/", "message/")):
        kind = "application/octet-stream"
    disposition = "inline" if file.content_id else "attachment"
    head = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n"
    head += f"Content-Disposition: {disposition};\r\n {_file_name(file.name)}\r\n"
    if file.content_id:
        identity = re.sub(r"[^!-;=?-~]", "", file.content_id)
        head += f"Content-ID: <{identity}>\r\n"
    return head.encode("ascii") + b"\r\n" + _base64_lines(file.data)


def _file_name(name: str) -> str:
    """A parameter (RFC 2183, 2.3; RFC 2231, 4): no folders, its ending kept when it is cut."""
    name = cleaned(name).replace("\\", "/").rpartition("/")[2] or "attachment"
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending) > _ENDING_CHARS:
        stem, dot, ending = name, "", ""
    room = _FILE_NAME_OCTETS - len((dot + ending).encode())
    name = stem.encode()[:room].decode(errors="ignore") + dot + ending
    if re.fullmatch(r"[\w.() +-]+", name, re.ASCII):
        return f'filename="{name}"'
    return f"filename*=utf-8''{quote(name, safe='')}"


def _base64_lines(data: bytes) -> bytes:
    text = base64.b64encode(data)
    return b"\r\n".join(text[at : at + 76] for at in range(0, len(text), 76)) + b"\r\n"


def _multipart(kind: str, boundary: str, parts: Iterable[bytes]) -> bytes:
    head = f'Content-Type: multipart/{kind};\r\n boundary="=_{boundary}"\r\n\r\n'.encode("ascii")
    mark = f"--=_{boundary}".encode("ascii")
    body = b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts)
    return head + body + mark + b"--\r\n"
