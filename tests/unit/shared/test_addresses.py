import base64
import json
import random
import string
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from shared.addresses import (
    MAILBOX_NAME_CHARS,
    TOKEN_CHARS,
    AddressBook,
    AddressKeys,
    fingerprint,
    survey_number,
)
from shared.contracts.mail import Purpose

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
OLD_KEY, NEW_KEY = b"o" * 32, b"n" * 32
BOOK = AddressBook(AddressKeys(1, {1: OLD_KEY}), "desk.example")
BASE32 = string.ascii_lowercase + "234567"


def an_address(**changed: object) -> str:
    values = {"ticket_id": "T-1042", "party": "ana@team.example", "number": 7, **changed}
    return BOOK.address("support@desk.example", "reply", **values)  # type: ignore[arg-type]


def token_of(address: str) -> str:
    return address.partition("+")[2].partition("@")[0]


@pytest.mark.parametrize("purpose", get_args(Purpose))
def test_an_address_says_what_was_put_into_it(purpose: Purpose) -> None:
    address = BOOK.address(
        "support@desk.example", purpose, ticket_id="T-999999999999", party="Ana@Team.example", number=65535
    )  # fmt: skip

    token = BOOK.read(address, NOW)

    assert token
    assert (token.state, token.purpose, token.ticket_id) == ("valid", purpose, "T-999999999999")
    assert (token.party, token.number) == (fingerprint("ana@team.example"), 65535)


def test_an_address_without_a_ticket_is_valid_too() -> None:
    token = BOOK.read(an_address(ticket_id=None), NOW)

    assert token
    assert (token.state, token.ticket_id) == ("valid", None)


def test_the_longest_mailbox_name_fills_64_octets_and_a_longer_one_is_refused() -> None:
    longest = "a" * MAILBOX_NAME_CHARS

    address = BOOK.address(f"{longest}@desk.example", "reply", ticket_id="T-1", party="a@b.example")

    assert len(address.partition("@")[0].encode()) == 64
    with pytest.raises(ValueError, match="over 23 characters"):
        BOOK.address(f"{longest}a@desk.example", "reply", ticket_id="T-1", party="a@b.example")


@pytest.mark.parametrize("fold", [str.upper, str.title, str.swapcase])
def test_a_host_that_changes_the_case_does_no_harm(fold) -> None:
    address = an_address()

    assert BOOK.read(fold(address), NOW) == BOOK.read(address, NOW)


def test_no_flipped_bit_is_accepted() -> None:
    raw = base64.b32decode(token_of(an_address()).upper())

    flipped = [(int.from_bytes(raw) ^ (1 << bit)).to_bytes(len(raw)) for bit in range(8 * len(raw))]

    states = {
        BOOK.read(f"support+{base64.b32encode(one).decode().lower()}@desk.example", NOW).state
        for one in flipped
    }
    assert states == {"forged"}


def test_no_random_token_is_accepted() -> None:
    chance = random.Random(1)
    tokens = ("".join(chance.choices(BASE32, k=TOKEN_CHARS)) for _ in range(100_000))

    accepted = [t for t in tokens if BOOK.read(f"support+{t}@desk.example", NOW).state != "forged"]

    assert accepted == []


def test_random_signatures_under_the_right_key_id_are_not_accepted() -> None:
    chance = random.Random(2)
    body = base64.b32decode(token_of(an_address()).upper())[:15]

    states = {
        BOOK.read(
            f"s+{base64.b32encode(body + chance.randbytes(10)).decode().lower()}@desk.example", NOW
        ).state
        for _ in range(10_000)
    }

    assert states == {"forged"}


@pytest.mark.parametrize(
    "local",
    ["support", "support+", "support+sales", "support+" + "a" * 20],
)
def test_an_address_that_carries_no_token_is_an_ordinary_one(local: str) -> None:
    assert BOOK.read(f"{local}@desk.example", NOW) is None


@pytest.mark.parametrize(
    "token", ["a" * 21, "a" * 39, "a" * 41, "1" * 40, "a" * 40, "ß" * 40, "=" * 40, "a+" * 20]
)
def test_what_only_looks_like_a_token_is_forged_and_no_error(token: str) -> None:
    read = BOOK.read(f"support+{token}@desk.example", NOW)

    assert read
    assert (read.state, read.ticket_id) == ("forged", None)


def test_an_old_key_is_read_until_it_is_removed_and_signs_no_more() -> None:
    old = an_address()
    rotated = AddressBook(AddressKeys(2, {1: OLD_KEY, 2: NEW_KEY}), "desk.example")
    retired = AddressBook(AddressKeys(2, {2: NEW_KEY}), "desk.example")

    new = rotated.address("support@desk.example", "reply", ticket_id="T-1", party="a@b.example")

    assert rotated.read(old, NOW).state == "valid"
    assert retired.read(old, NOW).state == "forged"
    assert retired.read(new, NOW).state == "valid"


def test_another_desks_key_with_the_same_number_is_not_accepted() -> None:
    other = AddressBook(AddressKeys(1, {1: NEW_KEY}), "desk.example")

    assert other.read(an_address(), NOW).state == "forged"


def test_an_address_expires_at_the_end_of_its_last_day_and_still_names_the_ticket() -> None:
    address = an_address(valid_days=2, now=NOW)
    last_moment = datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC)

    assert BOOK.read(address, last_moment).state == "valid"
    expired = BOOK.read(address, last_moment + timedelta(seconds=1))
    assert (expired.state, expired.ticket_id) == ("expired", "T-1042")


def test_an_address_without_days_does_not_expire() -> None:
    assert BOOK.read(an_address(), NOW + timedelta(days=36_500)).state == "valid"


def test_each_party_has_an_address_of_its_own() -> None:
    addresses = {an_address(party=p) for p in ("ana@team.example", "ben@team.example")}

    assert len({BOOK.read(a, NOW).party for a in addresses}) == 2


def test_a_survey_number_holds_cycle_and_score() -> None:
    numbers = {survey_number(cycle, score) for cycle in range(1, 50) for score in range(6)}

    assert len(numbers) == 49 * 6
    assert max(numbers) < 65536


class TestMessageIds:
    def test_an_own_id_is_recognised_whatever_its_case(self) -> None:
        message_id = BOOK.message_id("T-1042", "n3-0f1e2d3c")

        assert BOOK.ticket_of(message_id) == "T-1042"
        assert BOOK.ticket_of(message_id.upper()) == "T-1042"

    def test_the_same_input_gives_the_same_id(self) -> None:
        assert BOOK.root_id("T-1") == BOOK.root_id("T-1") != BOOK.root_id("T-2")

    @pytest.mark.parametrize(
        "change",
        [
            lambda i: i.replace("t1042.", "t1043."),
            lambda i: i.replace(".root.", ".r00t."),
            lambda i: i.replace("@desk.example", "@other.example"),
            lambda i: i.replace("@desk.example", "@desk.example.evil"),
            lambda i: "x" + i,
            lambda i: i[:10],
            lambda _: "20261122.7f3a@mail.example",
            lambda _: "",
        ],
    )
    def test_an_altered_or_foreign_id_is_nobodys(self, change) -> None:
        assert BOOK.ticket_of(change(BOOK.root_id("T-1042"))) is None

    def test_an_address_token_is_no_message_id(self) -> None:
        token = token_of(an_address())

        assert BOOK.ticket_of(f"t1042.root.{token[-16:]}@desk.example") is None

    def test_ids_of_an_old_key_are_still_ours(self) -> None:
        rotated = AddressBook(AddressKeys(2, {1: OLD_KEY, 2: NEW_KEY}), "desk.example")

        assert rotated.ticket_of(BOOK.root_id("T-5")) == "T-5"


class TestKeyFile:
    def write(self, path: Path, current: int, key: bytes) -> Path:
        keys = {"1": base64.b64encode(key).decode()}
        path.write_text(json.dumps({"current": current, "keys": keys}))
        return path

    def test_it_is_read(self, tmp_path: Path) -> None:
        keys = AddressKeys.load(self.write(tmp_path / "keys.json", 1, OLD_KEY))

        assert keys == AddressKeys(1, {1: OLD_KEY})

    @pytest.mark.parametrize(("current", "key"), [(2, OLD_KEY), (1, b"short")])
    def test_a_missing_current_key_or_a_short_one_is_refused(
        self, tmp_path: Path, current: int, key: bytes
    ) -> None:
        path = self.write(tmp_path / "keys.json", current, key)

        with pytest.raises(ValueError, match="missing or a key is under 32 bytes"):
            AddressKeys.load(path)
