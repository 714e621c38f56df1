"""Content-Transfer-Encoding undone (RFC 2045, 6), as far as the bytes allow."""

import binascii
import contextlib
import re

import pybase64

_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]+")
_SOFT_BREAK_SPACE = re.compile(rb"=[ \t]+(?=\r?\n)")
_PLAIN_WORDS = re.compile(rb"[A-Za-z]{2,} [A-Za-z]{2,} ")
# A text with the footer that a list server put below it, not encoded.
_ENCODED_HEAD = re.compile(
    rb"(?:(?:[A-Za-z0-9+/]{4}){2,}\r?\n)*(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2,3}={1,2})?\r?\n(?=\r?\n)"
)
_UU_BEGIN = re.compile(rb"^begin +[0-7]{3,4} ", re.MULTILINE)


def undo(body: bytes, encoding: str) -> bytes:
    """Return the content; an unknown or false encoding leaves the bytes as they are."""
    match encoding:
        case "base64" | "base-64" | "b":
            return _base64(body)
        case "quoted-printable" | "quotedprintable" | "quoted_printable" | "q":
            return _quoted_printable(body)
        case "x-uuencode" | "uuencode" | "x-uue" | "uue":
            return uudecode(body)
    return body


def _base64(body: bytes) -> bytes:
    if _PLAIN_WORDS.search(body[:400]):
        encoded = _ENCODED_HEAD.match(body)
        if encoded is None:  # declared, but never encoded
            return body
        return _base64(encoded[0]) + b"\n\n" + body[encoded.end() :].lstrip()
    with contextlib.suppress(binascii.Error):
        # A tenth of the time, and strict: what is not quite as it should be is left to the other.
        return pybase64.b64decode(body.translate(None, b"\r\n"), validate=True)
    try:
        return binascii.a2b_base64(body)
    except binascii.Error:
        clean = _NOT_BASE64.sub(b"", body)
    clean = clean.split(b"=")[0] if b"=" in clean else clean
    clean = clean[:-1] if len(clean) % 4 == 1 else clean
    try:
        return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))
    except binascii.Error:
        return body


def _quoted_printable(body: bytes) -> bytes:
    if b"= " in body or b"=\t" in body:
        body = _SOFT_BREAK_SPACE.sub(b"=", body)
    return binascii.a2b_qp(body)


def uudecode(body: bytes) -> bytes:
    """Decode the lines between "begin" and "end"; a line of wrong length as far as it goes."""
    begin = _UU_BEGIN.search(body)
    if begin is None:
        return body
    out: list[bytes] = []
    for line in body[begin.start() :].splitlines()[1:]:
        if line.strip() == b"end":
            break
        out.append(_uu_line(line))
    return b"".join(out)


def _uu_line(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        pass
    try:
        wanted = (((line[0] - 32) & 63) * 4 + 5) // 3
        return binascii.a2b_uu(line[:wanted])
    except (binascii.Error, IndexError):
        return b""
