"""Frames between parent and child: whole or refused."""

import asyncio
import io

import pytest

from services.ingest.frames import FrameError, pack, read_frame, receive_frame


def stream_of(raw: bytes) -> asyncio.StreamReader:
    stream = asyncio.StreamReader()
    stream.feed_data(raw)
    stream.feed_eof()
    return stream


async def test_what_is_packed_is_read_on_both_sides() -> None:
    raw = b"".join(pack({"a": 1}, [b"x", b"", b"\x00y"]))

    assert read_frame(io.BytesIO(raw)) == ({"a": 1}, [b"x", b"", b"\x00y"])
    assert await receive_frame(stream_of(raw)) == ({"a": 1}, [b"x", b"", b"\x00y"])


def test_the_end_of_the_pipe_is_no_frame() -> None:
    assert read_frame(io.BytesIO(b"")) is None


@pytest.mark.parametrize(
    "head", [b"[]", b"{}", b'{"sizes":5}', b'{"sizes":[2]}', b'{"sizes":[3,-2]}', b"nonsense"]
)
async def test_a_head_that_is_none_is_refused(head: bytes) -> None:
    raw = len(head).to_bytes(4) + (1).to_bytes(8) + head + b"x"

    with pytest.raises(FrameError):
        await receive_frame(stream_of(raw))


async def test_a_length_beyond_measure_is_refused_before_it_is_read() -> None:
    with pytest.raises(FrameError):
        await receive_frame(stream_of(b"\xff" * 12))
