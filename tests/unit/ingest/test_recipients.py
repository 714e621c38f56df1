"""Which recipients are ours."""

import pytest

from services.ingest.recipients import Recipient, one_each, resolve
from tests.builders import BILLING, SUPPORT, a_desk


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("support@desk.example", SUPPORT),
        ("Support@DESK.Example", SUPPORT),
        ("support+anything@desk.example", SUPPORT),
        ("SUPPORT+TOKEN@desk.example", SUPPORT),
        ('"support"@desk.example', SUPPORT),
        ("billing@desk.example", BILLING),
        ("postmaster@desk.example", SUPPORT),
        ("Postmaster", SUPPORT),
    ],
)
def test_known_addresses_find_their_mailbox(address: str, mailbox: str) -> None:
    assert resolve(a_desk(), address) == Recipient(mailbox, address)


@pytest.mark.parametrize(
    "address",
    ["nobody@desk.example", "support@elsewhere.example", "postmaster@elsewhere.example", "<>", "",
     "support", "supportx@desk.example", "+support@desk.example", "support@desk.example@x"],
)  # fmt: skip
def test_others_find_none(address: str) -> None:
    assert resolve(a_desk(), address) is None


def test_of_several_addresses_of_one_mailbox_the_one_with_a_token_stays() -> None:
    plain, tagged = Recipient(SUPPORT, SUPPORT), Recipient(SUPPORT, "support+t@desk.example")
    other = Recipient(BILLING, BILLING)

    assert one_each([plain, other, tagged]) == [tagged, other]
    assert one_each([tagged, plain]) == [tagged]
