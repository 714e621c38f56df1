"""Whose mails are counted, and whose are not even looked up."""

from typing import Any

import pytest

from services.ingest.limits import SenderLimits
from services.ingest.reading import Reading
from shared.config.models import Desk
from tests.builders import ANA, NOON, SUPPORT, a_desk, an_address_book

BOOK = an_address_book()
ROW = {"_id": "a", "recipient": SUPPORT, "received_at": NOON}
LIMITED = [
    {"who": "shop.example", "per_hour": 5},
    {"who": "robot@shop.example", "per_day": 9},
    {"who": "desk.example", "per_day": 1},
    {"who": "team.example", "per_day": 1},
]


class Counts:
    """A day that is full of other mails."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def update_one(self, which: dict[str, Any], *_: Any, **__: Any) -> Any:
        self.asked.append(which["_id"])
        return type("Nothing", (), {"modified_count": 0})

    async def find_one(self, which: dict[str, Any], *_: Any) -> dict[str, Any]:
        return which


async def excess(
    sender: str, row: dict[str, Any] | None = None, desk: Desk | None = None, **fields: Any
) -> tuple[str, list[str]]:
    """Why the mail is too much, and which counts were asked."""
    counts: Any = Counts()
    used = desk or a_desk(customers={"limited": LIMITED})
    limits = SenderLimits(lambda: used, counts, counts, BOOK)
    reading = Reading({"from_addr": sender, **fields})
    return await limits.excess(ROW | (row or {}), reading), list(dict.fromkeys(counts.asked))


@pytest.mark.parametrize(
    ("sender", "says"),
    [
        ("ann@shop.example", "limit of shop.example: 5 an hour"),
        ("Ann@Mail.SHOP.example", "limit of shop.example: 5 an hour"),
        ("robot@shop.example", "limit of robot@shop.example: 9 a day"),
    ],
)
async def test_the_nearest_limit_counts_by_the_day_that_smtp_took_the_mail(sender, says) -> None:
    name = says.removeprefix("limit of ").partition(":")[0]

    assert await excess(sender) == (says, [f"{name} {NOON:%Y-%m-%d}"])


@pytest.mark.parametrize(
    "sender", ["ann@elsewhere.example", "a@notshop.example", "", ANA, "support+x@desk.example"]
)
async def test_nothing_is_asked_about_others_nor_about_those_who_work_here(sender: str) -> None:
    assert await excess(sender) == ("", [])


async def test_nothing_is_asked_where_nobody_is_limited() -> None:
    assert await excess("ann@shop.example", desk=a_desk()) == ("", [])


async def test_what_an_operator_let_through_and_answers_to_our_addresses_pass() -> None:
    address = BOOK.address(SUPPORT, "reply", ticket_id="T-1", party="ann@shop.example")

    assert await excess("ann@shop.example", {"let_through": True}) == ("", [])
    assert await excess("ann@shop.example", {"recipient": address}) == ("", [])


async def test_a_forms_mail_is_its_writers() -> None:
    found = await excess("form@elsewhere.example", form="web", reply_to="Ann@shop.example")

    assert found[0] == "limit of shop.example: 5 an hour"


@pytest.mark.parametrize(
    "limited",
    [
        [{"who": "shop.example"}],
        [{"who": "shop.example", "per_day": 1}, {"who": "SHOP.example", "per_hour": 1}],
        [{"who": "not/a/name", "per_day": 1}],
    ],
)
def test_a_limit_without_number_or_given_twice_is_refused(limited: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match=r"per_hour|each sender once|mail address"):
        a_desk(customers={"limited": limited})
