"""The quick counts decide as the plain ones would, however a sender writes the words."""

import pytest

from services.ingest.parse import prescan

NAMES = [b"Content-Type:", b"CONTENT-TYPE:", b"cOnTeNt-TyPe:", b"content-type :", b"type:", b":"]
LINES = [b"--b", b"--", b"-- --", b"x--", b"-"]


@pytest.mark.parametrize("times", [0, 1, 20, 21, 3_000])
@pytest.mark.parametrize("name", NAMES)
def test_types_are_counted_in_any_case(name: bytes, times: int) -> None:
    raw = b"Subject: x\r\n\r\n" + times * (name + b" multipart/mixed\r\n")

    assert prescan._content_types(raw) == raw.lower().count(b"content-type:")


@pytest.mark.parametrize("times", [0, 99, 100, 101, 400])
@pytest.mark.parametrize("line", LINES)
def test_boundaries_are_too_many_where_they_are(line: bytes, times: int) -> None:
    raw = b"Subject: x\r\n\r\n" + times * (line + b"\r\n")
    are_few = raw.count(b"\n--") < prescan.MAX_PARTS

    assert (prescan._boundary_lines(raw) < prescan.MAX_PARTS) == are_few
