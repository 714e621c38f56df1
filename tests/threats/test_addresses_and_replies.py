"""Signed addresses, header fields of outgoing mail, replies of the door: what may not be forged in."""

import email
import email.policy
import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest import replies
from services.notify.domain import wire
from services.notify.domain.headers import ticket_subject
from shared.addresses import AddressBook, AddressKeys
from tests.builders import EMMA, NOON, SUPPORT, an_address_book

HOSTILE = st.text(alphabet='ab \r\n\0\x0b\x0c\x1c\x85\u2028\u2029:=?é日"\\<>@', max_size=80)
ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


def token_of(address: str) -> str:
    return address.partition("@")[0].partition("+")[2]


def test_t06_no_token_of_chance_is_accepted() -> None:
    book, chance = an_address_book(), random.Random(6)

    read = (
        book.read(f"support+{''.join(chance.choices(ALPHABET, k=40))}@desk.example", NOON)
        for _ in range(20_000)
    )

    assert {token.state for token in read if token} <= {"forged"}


def test_t06_no_token_with_one_bit_turned_is_accepted() -> None:
    book = an_address_book()
    token = token_of(book.address(SUPPORT, "reply", ticket_id="T-1", party=EMMA))

    for at in range(len(token)):
        for bit in range(5):
            letter = ALPHABET[ALPHABET.index(token[at]) ^ 1 << bit]
            read = book.read(f"support+{token[:at]}{letter}{token[at + 1 :]}@desk.example", NOON)
            assert read is None or read.state == "forged"


def test_t06_a_token_survives_other_cases_and_dies_with_its_key() -> None:
    address = an_address_book().address(SUPPORT, "reply", ticket_id="T-1", party=EMMA)
    other = AddressBook(AddressKeys(current=2, keys={2: b"o" * 32}), "desk.example")

    upper = an_address_book().read(address.upper(), NOON)
    foreign = other.read(address, NOON)

    assert upper is not None
    assert upper.state == "valid"
    assert foreign is not None
    assert foreign.state == "forged"


def test_t06_the_local_part_fits_every_mail_server() -> None:
    longest = an_address_book().address(
        f"{'m' * 23}@desk.example", "reply", ticket_id="T-99999999", party=EMMA
    )

    assert len(longest.partition("@")[0]) <= 64


@settings(max_examples=200, deadline=None)
@given(HOSTILE, HOSTILE, HOSTILE)
def test_t12_no_word_of_anybody_makes_a_header_field(subject: str, name: str, file: str) -> None:
    raw = wire.text_field("Subject", ticket_subject("T-1", subject)) + wire.mailbox_field(
        "To", [(name, EMMA)]
    )
    body = wire.content(
        "text", "", files=[wire.File(f"{file}.pdf", "application/pdf", b"x")], seed="1"
    )

    mail = email.message_from_bytes(raw + body, policy=email.policy.default)

    assert mail.keys()[:2] == ["Subject", "To"]
    assert {key.lower() for key in mail} <= {
        "subject",
        "to",
        "mime-version",
        "content-type",
        "content-transfer-encoding",
    }
    assert [one.addr_spec for one in mail["To"].addresses] == [EMMA]


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example\r\nBcc: c@d.example",
        "a@b.example\n",
        "a\0@b.example",
        "a@b.example, c@d.example",
    ],
)
def test_t12_an_address_that_holds_more_is_not_written(address: str) -> None:
    with pytest.raises(wire.UnsafeHeaderError):
        wire.mailbox_field("To", [("", address)])


INTERNAL = re.compile(
    r"Traceback|Error:|Exception|mongo|kafka|python|aiosmtpd|postdesk/|\b10\.|\b127\.|/[a-z]+/",
    re.IGNORECASE,
)


def test_t25_no_reply_of_the_door_has_anything_internal() -> None:
    fixed = [
        value for name, value in vars(replies).items() if name.isupper() and isinstance(value, str)
    ]

    assert len(fixed) > 10
    assert not [one for one in fixed if INTERNAL.search(one)]


def test_t25_the_modules_of_the_door_answer_with_no_exceptions_text() -> None:
    """An exception in a reply is the leak that the others had; no reply is formatted from one."""
    for name in ("smtp", "door", "replies"):
        source = Path("services/ingest", f"{name}.py").read_text(encoding="utf-8")
        assert not re.search(r"(?:push|reply|send)\([^)]*\{(?:e|error|exc)\b", source), name
