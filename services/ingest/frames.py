"""How parent and child talk over pipes: a JSON head and binary contents, each with its length.

JSON, not pickle: the parent must not run what a subverted child sends.
"""

import struct
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:  # children need none of it
    import asyncio

_LENGTHS = struct.Struct("!IQ")
MAX_HEAD_BYTES = 16 * 1024 * 1024
MAX_CONTENT_BYTES = 512 * 1024 * 1024

Frame = tuple[dict[str, Any], list[bytes]]


class FrameError(Exception):
    """The other side does not keep to the form."""


def pack(head: dict[str, Any], contents: Sequence[bytes]) -> list[bytes]:
    """Give the parts of a frame, to be written one after the other."""
    raw = orjson.dumps({**head, "sizes": [len(content) for content in contents]})
    return [_LENGTHS.pack(len(raw), sum(map(len, contents))), raw, *contents]


def read_frame(stream: IO[bytes]) -> Frame | None:
    """Read a frame, waiting for it; None at the end."""
    lengths = stream.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    head, content = _LENGTHS.unpack(lengths)
    return _unpack(stream.read(head), stream.read(content))


async def receive_frame(stream: "asyncio.StreamReader") -> Frame:
    """Read a frame; raises FrameError or IncompleteReadError."""
    head, content = _LENGTHS.unpack(await stream.readexactly(_LENGTHS.size))
    if head > MAX_HEAD_BYTES or content > MAX_CONTENT_BYTES:
        raise FrameError("too large")
    return _unpack(await stream.readexactly(head), await stream.readexactly(content))


def _unpack(raw: bytes, joined: bytes) -> Frame:
    try:
        head = orjson.loads(raw)
        sizes = [int(size) for size in head.pop("sizes")]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise FrameError("no head") from error
    if sum(sizes) != len(joined) or any(size < 0 for size in sizes):
        raise FrameError("sizes do not add up")
    contents, start = [], 0
    for size in sizes:
        contents.append(joined[start : start + size])
        start += size
    return head, contents
