"""Our serialiser against the standard library's reader: what goes in comes out, whatever it is."""

import email
import email.policy
import re
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notify.domain import wire

SUBJECTS = st.text(max_size=400)
HOSTILE = st.text(alphabet='ab \r\n\0\x0b\x0c\x1c\x85\u2028\u2029\t:=?é日"\\<>', max_size=60)


def read(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def unified(value: str) -> str:
    """Without runs of white space, which folding and readers treat in many ways."""
    return " ".join(value.split())


@settings(max_examples=150, deadline=None)
@given(SUBJECTS | HOSTILE)
def test_any_subject_survives_and_stays_one_field(subject: str) -> None:
    raw = wire.text_field("Subject", subject)

    message = read(raw + b"\r\n")
    assert message.keys() == ["Subject"]
    assert unified(str(message["Subject"])) == unified(wire.cleaned(subject))
    assert all(len(line) <= 78 or b" " not in line.strip() for line in raw.split(b"\r\n")[1:])
    assert b"=?utf-8?" not in raw or max(map(len, raw.split(b"\r\n"))) <= 76


def _without_spaces(value: str) -> str:
    return "".join(value.split())


@settings(max_examples=150, deadline=None)
@given(HOSTILE | st.text(max_size=80))
def test_any_display_name_stays_one_mailbox(name: str) -> None:
    raw = wire.mailbox_field("To", [(name, "ann@example.com"), ("", "bob@example.com")])

    message = read(raw + b"\r\n")
    assert message.keys() == ["To"]
    people = message["To"].addresses
    assert [one.addr_spec for one in people] == ["ann@example.com", "bob@example.com"]
    # The reader of 3.11 keeps the white space between encoded words of a phrase.
    assert _without_spaces(people[0].display_name) == _without_spaces(wire.cleaned(name))


@settings(max_examples=100, deadline=None)
@given(HOSTILE | st.text(max_size=2000), HOSTILE | st.text(max_size=200))
def test_any_text_and_html_survive_in_short_lines(text: str, html: str) -> None:
    raw = wire.content(text, html, seed="0")

    message = read(raw)
    plain, page = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert page is not None
    assert _without_controls(str(plain.get_content())) == _without_controls(text)
    assert _without_controls(str(page.get_content())) == _without_controls(html)
    assert max(map(len, raw.split(b"\r\n"))) <= wire.LINE_OCTETS
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")


def _without_controls(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode()
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f]", "", text).strip("\n")


@settings(max_examples=100, deadline=None)
@given(HOSTILE.map(lambda name: name + ".pdf") | st.text(max_size=300))
def test_any_file_name_stays_one_parameter_without_folders(name: str) -> None:
    raw = wire.content("t", "h", files=[wire.File(name, "application/pdf", b"%PDF")], seed="0")

    attached = list(read(raw).iter_attachments())
    assert len(attached) == 1
    found = attached[0].get_filename()
    assert found
    assert not set(found) & set("/\\\r\n\0")
    assert attached[0].get_content() == b"%PDF"


def test_a_long_name_is_cut_before_its_ending() -> None:
    raw = wire.content("t", "h", files=[wire.File("名" * 400 + ".pdf", "a/b", b"")], seed="0")

    assert max(map(len, raw.split(b"\r\n"))) <= wire.LINE_OCTETS
    [attached] = read(raw).iter_attachments()
    name = attached.get_filename()
    assert name is not None
    assert name.startswith("名名")
    assert name.endswith(".pdf")


@pytest.mark.parametrize(
    "value", ["a\r\nBcc: x@evil.example", "a\nb", "a\0b", "é", "a\u2028b", "x" * 998]
)
def test_ids_and_urls_that_would_need_encoding_are_refused(value: str) -> None:
    with pytest.raises(wire.UnsafeHeaderError):
        wire.plain_field("References", value)


@pytest.mark.parametrize(
    "address",
    ["a@b\r\nBcc: c@d", "a b@c.d", "<a@b>", "a@b,c@d", "é@b.example", "", "a", "a@b@c;", '"a"@b'],
)
def test_an_address_that_is_more_than_an_address_is_refused(address: str) -> None:
    with pytest.raises(wire.UnsafeHeaderError):
        wire.mailbox_field("To", [("", address)])


@pytest.mark.parametrize("kind", ["multipart/mixed", "message/rfc822", "x\r\ny", "TEXT", ""])
def test_a_type_that_cannot_be_base64_is_sent_as_octets(kind: str) -> None:
    raw = wire.content("t", "h", files=[wire.File("x", kind, b"data")], seed="0")

    [attached] = read(raw).iter_attachments()
    assert attached.get_content_type() == "application/octet-stream"


def test_a_picture_inside_the_html_is_related_to_it() -> None:
    picture = wire.File("chart.png", "image/png", b"\x89PNG", content_id="chart@desk")

    message = read(wire.content("t", '<img src="cid:chart@desk">', inline=[picture], seed="0"))

    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
    ]
    assert [part["Content-ID"] for part in message.walk() if part["Content-ID"]] == ["<chart@desk>"]


def test_latin_1_text_leaves_as_utf_8() -> None:
    text = b"Gr\xfc\xdfe".decode("iso-8859-1")

    message = read(wire.content(text, text, seed="0"))

    assert {part.get_content_charset() for part in message.iter_parts()} == {"utf-8"}
