"""The end of DATA: only CRLF "." CRLF, wherever the blocks are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.dots import DotReader


def read(stream: bytes, block: int = 1) -> tuple[bytes, bytes | None]:
    """The mail and the first octets of what follows; None while the end was not seen."""
    reader, mail = DotReader(), b""
    for start in range(0, len(stream), block):
        plain, rest = reader.feed(stream[start : start + block])
        mail += plain
        if rest is not None:
            return mail, rest + stream[start + block :]
    return mail, None


@pytest.mark.parametrize("block", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize(
    ("stream", "mail"),
    [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"a\r\n.\r\n", b"a\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b".a\r\n.\r\n", b"a\r\n"),
        (b"a\r\n..\r\nb\r\n.\r\n", b"a\r\n.\r\nb\r\n"),
        (b"a\r\n...\r\n.\r\n", b"a\r\n..\r\n"),
        (b"a.b\r\nc.\r\n.\r\n", b"a.b\r\nc.\r\n"),
        (b"a\r\n.\r\r\n.\r\n", b"a\r\n\r\r\n"),
        (b"x" * 5000 + b"\r\n.\r\n", b"x" * 5000 + b"\r\n"),
    ],
)
def test_the_dots_come_out_and_what_follows_is_kept(stream: bytes, mail: bytes, block: int) -> None:
    assert read(stream + b"QUIT\r\n", block) == (mail, b"QUIT\r\n")


@pytest.mark.parametrize(
    "end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\r\n.\r\r\n"]
)
def test_nothing_else_ends_a_mail_so_nothing_can_be_smuggled_behind_it(end: bytes) -> None:
    smuggled = b"a" + end + b"MAIL FROM:<evil@example.com>\r\n"

    mail, rest = read(smuggled + b".\r\nQUIT\r\n")

    assert b"MAIL FROM:<evil@example.com>\r\n" in mail
    assert rest == b"QUIT\r\n"


@given(
    st.lists(st.sampled_from([b"\r", b"\n", b".", b"\r\n", b"\r\n.", b"a"]), max_size=30),
    st.integers(1, 7),
)
def test_however_it_is_cut_it_reads_as_in_one_piece(pieces: list[bytes], block: int) -> None:
    stream = b"".join(pieces) + b"\r\n.\r\nNOOP\r\n"

    assert read(stream, block) == read(stream, len(stream))


def test_a_mail_without_line_ends_is_not_held_back() -> None:
    reader = DotReader()
    reader.feed(b"start")

    plain, rest = reader.feed(b"x" * 100_000)

    assert (len(plain), rest) == (100_000, None)
