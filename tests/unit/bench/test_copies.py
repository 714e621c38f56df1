"""Copies of a case differ by every name under which something is found, and in nothing else."""

from typing import Any

import bson

from tests.bench.cases import Case, name_of
from tests.bench.copies import pattern

CASE = Case("T-1000007", f"{name_of(7)}@people.example")
HASH = "0123456789abcdef0123456789abcdef"
OF_CASE = [
    {"_id": "T-1000007", "state": {"requester": "case00000007@people.example"}},
    {"_id": HASH, "ticket_id": "T-1000007", "raw": b"From: Case00000007 <a@b.example>"},
    {"_id": f"{HASH}.read", "at": 7},
]
OF_OTHERS: list[dict[str, Any]] = [
    {"_id": "T-1000008", "state": {"requester": "case00000008@people.example"}},
    {"_id": "row", "parts": [{"ticket_id": "T-1000007"}, {"ticket_id": "T-1000008"}]},
    {"_id": "tickets", "value": 1_000_009},
]


def copied(number: int) -> list[dict[str, Any]]:
    place = ("postdesk_tickets", "rows")
    stored = [(place, bson.encode(one)) for one in [*OF_CASE, *OF_OTHERS]]
    return [bson.decode(raw) for _, raw in pattern(CASE, 7, stored).copy(number)]


def test_a_copy_has_other_names_of_the_same_length() -> None:
    other_hash = f"{copied(2_000_001)[1]['_id']}"

    assert copied(2_000_001) == [
        {"_id": "T-2000001", "state": {"requester": "case02000001@people.example"}},
        {"_id": other_hash, "ticket_id": "T-2000001", "raw": b"From: Case02000001 <a@b.example>"},
        {"_id": f"{other_hash}.read", "at": 7},
    ]
    assert other_hash != HASH
    assert other_hash[8:] == HASH[8:]


def test_no_two_copies_share_a_name() -> None:
    ids = [one["_id"] for number in range(2_000_000, 2_001_000) for one in copied(number)]

    assert len(set(ids)) == len(ids)
