"""Mailboxes of an address header, split before anything is decoded (RFC 5322, 3.4; RFC 2047, 5)."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from services.ingest.parse.charsets import decode
from services.ingest.parse.encoded_words import decode_words, tidy, unfold

_MAX_MAILBOXES = 2000  # of one header
_MAX_BYTES = 128 * 1024  # of one header; a list of thousands fits
_TOKEN = re.compile(
    rb'"(?:[^"\\]|\\.)*"|\(|<[^<>"]*>|=\?[^?\s]+\?[bBqQ]\?[^?]*\?=|[,;:]|[^",;:()<]+|.', re.DOTALL
)
_ADDRESS = re.compile(
    r"(?<![^\s<>()\[\],;:\"@'])[^\s<>()\[\],;:\"@]{1,254}@(?:[^\s<>()\[\],;:\"@]{1,255}|\[[^\]\s]{1,60}\])"
    r"|\"[^\"]{1,254}\"@[^\s<>,;]{1,255}"
)
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)
_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_UNCLEAR = re.compile(rb"\x00|\)\s*@|>[^,;<>]{0,998}@")
_ROUTE = re.compile(r"^@[^:]+:")


class Mailbox(NamedTuple):
    """One mailbox: display name decoded, "" when there is none, and its bare address."""

    name: str
    address: str


class _Raw:
    """A mailbox while it is being read."""

    def __init__(self) -> None:
        self.words: list[bytes] = []
        self.comments: list[bytes] = []
        self.angle: bytes | None = None

    def is_empty(self) -> bool:
        return not any(w.strip() for w in self.words) and self.angle is None and not self.comments


def mailboxes(raw: bytes, hint: str = "") -> list[Mailbox]:
    """Return the mailboxes of a header, groups flattened, in order; [] when there is none."""
    found: list[Mailbox] = []
    if b"\x1b$" in raw:  # ISO-2022-JP sent raw: its bytes look like brackets and quotes
        raw = decode(raw[:_MAX_BYTES], "iso-2022-jp").encode()
    for item in _items(unfold(raw[:_MAX_BYTES])):
        box = _mailbox(item, hint)
        if box is not None:
            found.append(box)
    return found


def unclear(values: Iterable[bytes]) -> int:
    """Count the headers in which another reader may find another address than `mailboxes` does."""
    return sum(bool(_UNCLEAR.search(_QUOTED.sub(b"", raw[:_MAX_BYTES]))) for raw in values)


def _items(raw: bytes) -> list[_Raw]:
    items: list[_Raw] = []
    current, position, grouped = _Raw(), 0, False
    while position < len(raw) and len(items) < _MAX_MAILBOXES:
        match = _TOKEN.match(raw, position)
        if match is None:
            break
        token, position = match[0], match.end()
        if token == b"(":
            comment, position = _comment(raw, position)
            current.comments.append(comment)
        elif token == b",":
            current = _next(items, current, splits=True)
        elif token == b";":
            current, grouped = _next(items, current, splits=True), False
        elif token == b":" and not grouped and current.angle is None and _is_group_name(current):
            current, grouped = _Raw(), True
        elif token[:1] == b"<" and token[-1:] == b">" and len(token) > 1:
            if current.angle is not None and b"@" in token:
                current = _next(items, current, splits=True)
            current.angle = (
                token[1:-1] if current.angle is None or not current.angle.strip() else current.angle
            )
        else:
            current.words.append(token)
    _next(items, current, splits=True)
    return items


def _next(items: list[_Raw], current: _Raw, *, splits: bool) -> _Raw:
    """Close a mailbox, or keep it open when a bare comma stood inside a display name."""
    if current.is_empty():
        return current
    text = b"".join(current.words)
    is_whole = current.angle is not None or b"@" in text or b"=40" in text
    if items and not _is_whole(items[-1]) and (current.angle is not None):
        before = items.pop()
        current.words = [*before.words, b", ", *current.words]
        current.comments = before.comments + current.comments
    if is_whole or splits:
        items.append(current)
    return _Raw()


def _is_whole(item: _Raw) -> bool:
    return item.angle is not None or b"@" in b"".join(item.words)


def _is_group_name(item: _Raw) -> bool:
    words = b"".join(item.words)
    return b"@" not in words and not words.strip().lower().endswith(b"mailto")


def _comment(raw: bytes, position: int) -> tuple[bytes, int]:
    """Read a comment up to its closing bracket; nested ones are kept as text."""
    depth, start = 1, position
    while position < len(raw):
        char = raw[position : position + 1]
        if char == b"\\":
            position += 1
        elif char == b"(":
            depth += 1
        elif char == b")":
            depth -= 1
            if depth == 0:
                return raw[start:position], position + 1
        position += 1
    return raw[start:], len(raw)


def _mailbox(item: _Raw, hint: str) -> Mailbox | None:
    words = _words(item.words, hint)
    if item.angle is not None:
        address = _bare(decode_words(item.angle, hint))
        if not address and (match := _ADDRESS.search(words)):
            address, words = match[0], words.replace(match[0], "")
        name, comment = _name(words), _comments(item, hint)
        name = f"{name} ({comment})" if name and comment else name or comment
        return Mailbox(name, address) if address or name else None
    matches = list(_ADDRESS.finditer(words))
    if not matches:
        return _without_domain(words, _comments(item, hint))
    match = (
        matches[-1] if len(matches) > 1 and matches[-1].end() == len(words.rstrip()) else matches[0]
    )
    rest = words[: match.start()] + words[match.end() :]
    return Mailbox(_name(rest) or _comments(item, hint), _bare(match[0]))


def _words(tokens: list[bytes], hint: str) -> str:
    out = [
        _QUOTED_PAIR.sub(rb"\1", t[1:-1])
        if t[:1] == b'"' and len(t) > 1 and not _is_local(tokens, i)
        else t
        for i, t in enumerate(tokens)
    ]
    return decode_words(b"".join(out), hint)


def _is_local(tokens: list[bytes], index: int) -> bool:
    """Whether a quoted string is a local part: the next thing is its domain."""
    return index + 1 < len(tokens) and tokens[index + 1][:1] == b"@"


def _comments(item: _Raw, hint: str) -> str:
    return tidy(decode_words(b" ".join(item.comments), hint)).strip("\"'") if item.comments else ""


def _name(text: str) -> str:
    text = re.sub(r"\s+", " ", tidy(text)).strip(" ,;<>")
    text = re.sub(r"\s*[\[<(]?\bmailto:\s*[\])>]?$|\s*[\[<(]\s*[\])>]?$", "", text)
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    return text.strip()


def _bare(text: str) -> str:
    text = _ROUTE.sub("", tidy(text).strip("<> \t'"))
    if text.lower().startswith("mailto:"):
        text = text[7:]
    if match := _ADDRESS.search(text):
        return match[0]
    return "" if " " in text or text.endswith(":;") or text == "@" else text


def _without_domain(words: str, comment: str) -> Mailbox | None:
    """A bare word is a local mailbox (``root``, ``MAILER-DAEMON``); several words are a name."""
    text = _name(words)
    if not text:
        return None
    if re.fullmatch(r"[A-Za-z0-9._+\-]+", text):
        return Mailbox(comment, text)
    return Mailbox(text, "")
