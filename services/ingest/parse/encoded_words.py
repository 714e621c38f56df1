"""Header bytes to text: RFC 2047 words in all their wrong uses, and raw eight-bit text."""

import binascii
import re

from services.ingest.parse.charsets import codec_name, decode

_WORD = re.compile(rb"=\?([^?\s]+)\?\s*([bBqQ])\s*\?(.*?)(?:\?=|\Z)", re.DOTALL)
_FOLD = re.compile(rb"[ \t]*\r*\n[ \t\r\n]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_SPACE = re.compile(r"[\t\r\n]+")
_ESCAPE = re.compile(rb"=([0-9A-Fa-f]{2})")


def header_text(raw: bytes, hint: str = "") -> str:
    """Return a header's value decoded and unfolded, without control characters.

    ``hint`` is the body's charset, for mailers that send the header raw in the same one.
    """
    return tidy(decode_words(unfold(raw), hint))


def unfold(raw: bytes) -> bytes:
    """Join folded lines with one space (RFC 5322, 2.2.3)."""
    return _FOLD.sub(b" ", raw) if b"\n" in raw else raw


def tidy(text: str) -> str:
    """Drop control characters and outer white space."""
    return _CONTROL.sub("", _SPACE.sub(" ", text)).strip()


def decode_words(raw: bytes, hint: str = "") -> str:
    """Return the value with its encoded words decoded; what is not one stays as it is."""
    if b"=?" not in raw:
        return decode(raw, "", hint)
    pieces: list[tuple[str, bytes, bytes]] = []  # charset, bytes, the word as written
    position = 0
    for match in _WORD.finditer(raw):
        between = raw[position : match.start()]
        if between.strip() or not pieces or not pieces[-1][0]:
            pieces.append(("", between, b""))
        pieces.append(_piece(match))
        position = match.end()
    pieces.append(("", raw[position:], b""))
    return _joined(pieces, hint)


def _piece(match: re.Match[bytes]) -> tuple[str, bytes, bytes]:
    charset = match[1].split(b"*")[0].decode("ascii", "replace").lower()
    data = _decoded(match[3], match[2])
    if data is None:
        return ("", match[0], b"")
    return (charset or "us-ascii", data, match[0])


def _decoded(body: bytes, encoding: bytes) -> bytes | None:
    if encoding in b"qQ":
        body = body.replace(b"_", b" ")
        return _ESCAPE.sub(lambda m: binascii.unhexlify(m[1]), body)
    body = re.sub(rb"[^A-Za-z0-9+/]", b"", body.rstrip(b"= "))
    spare = len(body) % 4
    body = body[:-1] if spare == 1 else body
    try:
        return binascii.a2b_base64(body + b"=" * (-len(body) % 4))
    except binascii.Error:
        return None


def _joined(pieces: list[tuple[str, bytes, bytes]], hint: str) -> str:
    """Decode runs of one charset together: mailers split characters between words."""
    out: list[str] = []
    run_charset, run = "", b""
    for charset, data, _ in [*pieces, ("", b"", b"")]:
        if charset and charset == run_charset and _may_join(charset, run):
            run += data
            continue
        if run:
            out.append(decode(run, run_charset, hint))
        run_charset, run = charset, data
        if not charset:
            out.append(decode(data, "", hint))
            run = b""
    return "".join(out)


def _may_join(charset: str, run: bytes) -> bool:
    """ISO-2022 starts each word in ASCII, so a word that closed its escape stands alone."""
    name = codec_name(charset)
    return not (name.startswith("iso2022") and run.endswith(b"\x1b(B"))
