"""No bytes make the parser raise, and no bomb makes it take more than linear time."""

import random
import sysconfig
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.parse import minimal, parse
from services.ingest.parse.mail import Mail
from services.ingest.parse.prescan import prescan

CORPUS = [
    p.read_bytes() for p in sorted(Path(__file__).parents[2].joinpath("corpus").glob("*.eml"))
]
STDLIB = sorted(
    Path(sysconfig.get_path("stdlib")).joinpath("test/test_email/data").glob("msg_*.txt")
)
KEYS = list(Mail().as_report())
SPLINTERS = [b'"', b"\\", b"<", b"=?utf-8?b?", b"?=", b";", b"boundary=", b"\n", b"\r", b"\x00", b"\xff", b"--b1\n", b"(",
             b"Content-Type: multipart/mixed\n", b"\n\n", b"name*0*=", b"begin 644 x\n", b"> ", b"On 2020 x wrote:\n",
             b"&#1114112;", b"<table>", b"<!--", b"\x1b$B", b"message/rfc822"]  # fmt: skip
HEAD = b"From: a@b.example\nSubject: x\n"
HTML = HEAD + b"Content-Type: text/html\n\n"
BOMBS = {
    "semicolons": HEAD + b"Content-Type: a/b" + b";" * 40_000 + b"\n\nx",
    "backslashes": HEAD + b'Content-Type: a/b; x="' + b'\\"' * 30_000 + b"\n\nx",
    "nested comments": b"From: " + b"(" * 60_000 + b"\n\nx",
    "quotes": b"From: " + b'"a' * 60_000 + b"\n\nx",
    "an endless word": b"To: " + b"a" * 100_000 + b"\n\nx",
    "encoded words": b"Subject: " + b"=?utf-8?q?a?= " * 30_000 + b"\n\nx",
    "folded lines": b"Subject: " + b"\n " * 60_000 + b"\n\nx",
    "header lines": b"X: y\n" * 50_000 + b"\nx",
    "nested multiparts": b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(2_000)),
    "parts": HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 50_000,
    "mails in mails": b"Content-Type: message/rfc822\n\n" * 2_000,
    "deep HTML": HTML + b"<div>" * 100_000,
    "deep quotes": HTML + b"<blockquote>x" * 30_000,
    "stray end tags": HTML + b"<b>" * 300 + b"</i>" * 100_000,
    "unclosed attributes": HTML + b'<a "' * 100_000,
    "comments": HTML + b"<!--" * 100_000,
    "styles": HTML + b"<style>display:none" * 5_000,
    "dashes": HEAD + b"\n" + (b"-" * 190 + b"\n") * 2_000,
    "attributions": HEAD + b"\n" + b"On 2020 a@b.c wrote:\n" * 10_000,
    "header blocks": HEAD + b"\n" + b"From: a@b.c\nDate: x\n\n" * 10_000,
    "uuencode": HEAD + b"\n" + b"begin 644 a\n" * 20_000 + b"\nend",
    "delivery status": b"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n" + b"A: b\n\n" * 20_000,
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_read_in_bounded_time(name: str) -> None:
    started = time.process_time()

    report = parse(BOMBS[name]).as_report()

    assert list(report) == KEYS
    assert time.process_time() - started < 10  # the limit of the child process that runs it


@pytest.mark.parametrize(
    "name",
    ["semicolons", "backslashes", "an endless word", "header lines", "parts", "nested multiparts"],
)
def test_the_limits_stop_a_bomb_before_it_is_parsed(name: str) -> None:
    assert prescan(BOMBS[name]) is not None


def test_headers_are_limited_in_bytes_lines_and_width() -> None:
    assert prescan(b"X: y\n" * 999 + b"\nbody") is None
    assert "lines" in (prescan(b"X: y\n" * 1_001 + b"\nbody") or "")
    assert "line" in (prescan(b"X: " + b"y" * 17_000 + b"\n\nbody") or "")
    assert "bytes" in (prescan((b"X: " + b"y" * 900 + b"\n") * 300 + b"\nbody") or "")


def test_containers_in_a_row_are_not_taken_for_nesting() -> None:
    one = b"Content-Type: multipart/alternative; boundary=i%d\n\n--i%d\n\nx\n--i%d--\n"
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\n\n"
        + b"".join(b"--b\n" + one % (i, i, i) for i in range(30))
        + b"--b--\n"
    )

    assert prescan(raw) is None


def test_the_stub_holds_what_the_headers_say() -> None:
    raw = b"From: Ann <ann@customer.example>\nTo: d@desk.example\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nMessage-ID: <1@x>\n\nbody"

    stub = minimal(raw, "too deep")

    assert (stub.from_addr, stub.from_name, stub.subject) == (
        "ann@customer.example",
        "Ann",
        "Grüße",
    )
    assert (stub.to_addrs, stub.message_id, stub.defect, stub.automated) == (
        ["d@desk.example"],
        "1@x",
        "too deep",
        True,
    )


@pytest.mark.parametrize("name", BOMBS)
def test_the_stub_can_be_made_of_every_bomb(name: str) -> None:
    assert minimal(BOMBS[name]).defect


# Distributions cut the interpreter's own test data out; then there are no mails to read here.
@pytest.mark.skipif(not STDLIB, reason="this interpreter comes without its test data")
@pytest.mark.parametrize("path", STDLIB, ids=lambda p: p.stem)
def test_mails_of_the_standard_library_are_read_without_a_defect(path: Path) -> None:
    mail = parse(path.read_bytes())

    assert mail.defect == ""


@given(st.binary(max_size=2_000))
@settings(max_examples=100, deadline=None)
def test_any_bytes_yield_a_report(raw: bytes) -> None:
    mail = parse(raw)

    assert (mail.defect, list(mail.as_report())) == ("", KEYS)


def test_mutated_mails_yield_reports_that_can_be_sent_on() -> None:
    rnd = random.Random(20261122)
    for _ in range(800):
        raw = _mutated(rnd)

        mail = parse(raw)

        assert mail.defect == "", raw
        str(mail.as_report()).encode("utf-8")


def _mutated(rnd: random.Random) -> bytes:
    raw = bytearray(rnd.choice(CORPUS))
    for _ in range(rnd.randint(1, 8)):
        at, other = rnd.randint(0, len(raw)), rnd.choice(CORPUS)
        match rnd.randrange(4):
            case 0:
                raw[at:at] = rnd.choice(SPLINTERS) * rnd.choice([1, 1, 3, 200])
            case 1:
                del raw[at : at + rnd.randint(1, 40)]
            case 2:
                raw[at : at + 1] = bytes([rnd.randrange(256)])
            case _:
                start = rnd.randint(0, len(other))
                raw[at:at] = other[start : start + rnd.randint(1, 400)]
    return bytes(raw)
