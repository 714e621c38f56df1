"""The MIME tree of a mail, read in one linear pass over its bytes.

Own code, since both libraries lose what the desk needs: fast-mail-parser decodes headers before
addresses are split and refuses broken base64; the standard library takes ten times as long.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from services.ingest.parse.headers import Headers, split_headers
from services.ingest.parse.parameters import split_value
from services.ingest.parse.transfer import undo

MAX_DEPTH = 20  # RELIABILITY T13; what lies deeper is one opaque part
_MAX_PARTS = 1000
_BOUNDARY_GUESS = re.compile(
    rb"^--([^\s\-][^\r\n]{0,69}?|-{2,}[^\s\-][^\r\n]{0,69}?)[ \t]*\r?\n(?=[Cc]ontent-)",
    re.MULTILINE,
)


@dataclass
class Part:
    """One node: a leaf with content, a multipart with children, or a mail inside the mail."""

    headers: Headers
    body: bytes = field(repr=False)  # still transfer-encoded
    content_type: str = "text/plain"
    params: dict[str, str] = field(default_factory=dict)
    children: list["Part"] = field(default_factory=list)
    epilogue: bytes = field(default=b"", repr=False)

    @cached_property
    def encoding(self) -> str:
        """The transfer encoding's token in lower case, "" when none is named."""
        tokens = re.split(r"[\s;,(]", self.headers.word("content-transfer-encoding").strip("\"' "))
        return tokens[0].strip("\"'")

    @cached_property
    def content(self) -> bytes:
        """The transfer-decoded bytes of a leaf."""
        return undo(self.body, self.encoding)

    @cached_property
    def _disposition(self) -> tuple[str, dict[str, str]]:
        return split_value(self.headers.get("content-disposition"))

    @property
    def disposition(self) -> str:
        """Word of RFC 2183 in lower case, "" when the part declares none."""
        return self._disposition[0]

    @property
    def disposition_params(self) -> dict[str, str]:
        """Parameters of the disposition, decoded."""
        return self._disposition[1]

    @property
    def is_multipart(self) -> bool:
        """Whether the node is a container that was split into parts."""
        return self.content_type.startswith("multipart/") and bool(self.children)

    @property
    def is_message(self) -> bool:
        """Whether the node holds another mail, its root being the only child."""
        return not self.content_type.startswith("multipart/") and bool(self.children)

    def walk(self) -> Iterator["Part"]:
        """Yield this node and all below it, depth first."""
        yield self
        for child in self.children:
            yield from child.walk()


def read(raw: bytes) -> Part:
    """Return the tree of any bytes; what cannot be split stays one part."""
    if b"\n" not in raw and b"\r" in raw:
        raw = raw.replace(b"\r", b"\n")
    return _Reader().message(raw, depth=0, is_root=True)


class _Reader:
    """Counts parts over the whole mail, so that a bomb stops growing."""

    def __init__(self) -> None:
        self._left = _MAX_PARTS

    def message(self, data: bytes, *, depth: int, is_root: bool = False) -> Part:
        headers, start = split_headers(data, is_root=is_root)
        return self._part(headers, data[start:], "text/plain", depth)

    def _part(self, headers: Headers, body: bytes, default_type: str, depth: int) -> Part:
        self._left -= 1
        content_type, params = _type_of(headers, default_type)
        part = Part(headers, body, content_type, params)
        if depth >= MAX_DEPTH or self._left <= 0:
            return part
        if content_type.startswith("multipart/"):
            self._split(part, depth)
        elif "boundary" in params and content_type.startswith("text/"):
            self._split(part, depth)
            part.content_type = "multipart/mixed" if part.children else content_type
        elif content_type in {
            "message/rfc822",
            "message/global",
            "message/news",
            "message/x-rfc822",
        }:
            self._unwrap(part, depth)
        return part

    def _unwrap(self, part: Part, depth: int) -> None:
        data = part.content.lstrip(b"\r\n")
        if data:
            part.children = [self.message(data, depth=depth + 1, is_root=True)]

    def _split(self, part: Part, depth: int) -> None:
        boundary = part.params.get("boundary", "").encode("utf-8", "surrogateescape")
        body = part.body
        pieces, epilogue = _pieces(body, boundary) if boundary else ([], b"")
        if not pieces and part.encoding in {"base64", "quoted-printable"}:
            body = part.content
            pieces, epilogue = _pieces(body, boundary) if boundary else ([], b"")
        if not pieces and (guess := _BOUNDARY_GUESS.search(body)):
            pieces, epilogue = _pieces(body, guess[1])
        default = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
        part.epilogue = epilogue
        for piece in pieces:
            if self._left <= 0:
                break
            headers, start = split_headers(piece)
            part.children.append(self._part(headers, piece[start:], default, depth + 1))


def _type_of(headers: Headers, default: str) -> tuple[str, dict[str, str]]:
    value, params = split_value(headers.get("content-type"))
    kind, slash, subtype = value.partition("/")
    if kind and slash and subtype and re.fullmatch(r"[!-~]+", value):
        return value, params
    if kind in {"text", "plain"}:  # "Content-Type: text" of old mailers
        return "text/plain", params
    if kind == "html":
        return "text/html", params
    if kind == "multipart":
        return "multipart/mixed", params
    return ("multipart/mixed" if "boundary" in params else default), params


def _pieces(body: bytes, boundary: bytes) -> tuple[list[bytes], bytes]:
    """Cut the body at its boundary lines; return the parts and what follows the last."""
    out: list[bytes] = []
    marker = b"--" + boundary.rstrip()
    start, position = -1, 0
    while (found := body.find(marker, position)) >= 0:
        position = found + len(marker)
        line_end = body.find(b"\n", position)
        line_end = len(body) if line_end < 0 else line_end
        tail = body[position:line_end].strip()
        if (found and body[found - 1] not in b"\r\n") or tail not in {b"", b"--"}:
            continue
        if start >= 0:
            out.append(_without_last_line_end(body[start:found]))
        start = position = min(line_end + 1, len(body))
        if tail == b"--":
            return out, body[start:]
    if start >= 0:
        out.append(body[start:])
    return out, b""


def _without_last_line_end(piece: bytes) -> bytes:
    """The line end before a boundary belongs to the boundary (RFC 2046, 5.1.1)."""
    if piece.endswith(b"\r\n"):
        return piece[:-2]
    return piece[:-1] if piece.endswith((b"\n", b"\r")) else piece
