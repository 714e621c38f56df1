"""The quick decoder and the patient one say the same where both can."""

import base64
import binascii
import random

import pytest

from services.ingest.parse.transfer import undo

DATA = random.Random(4).randbytes(1_000)
LINES = base64.encodebytes(DATA)


@pytest.mark.parametrize(
    "body",
    [
        LINES,
        LINES.replace(b"\n", b"\r\n"),
        LINES.replace(b"\n", b" \t\n"),
        LINES.replace(b"\n", b"\r\n-*-\r\n"),
        LINES + b"\n-- \nlist footer, not encoded\n",
        b"nYQC4v97Zn R=S5g-==",  # one that passes over what it does not know would read on
        base64.b64encode(DATA[:500]) + b"\n" + base64.b64encode(DATA[500:]),
    ],
    ids=["lf", "crlf", "blanks", "other characters", "footer", "stray padding", "padding within"],
)
def test_as_the_standard_library_decodes(body: bytes) -> None:
    assert undo(body, "base64") == binascii.a2b_base64(body)


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_lost_end_costs_the_end_alone(lost: int) -> None:
    body = base64.b64encode(DATA).rstrip(b"=")[:-lost]

    decoded = undo(body, "base64")

    assert DATA.startswith(decoded)
    assert len(DATA) - len(decoded) <= lost + 2
