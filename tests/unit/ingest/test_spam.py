"""Which fields of spam filters are believed, and what they say."""

from typing import Any

import pytest

from services.ingest.intake import Intake
from services.ingest.reducing import read
from services.ingest.spam import SpamField, score_of, verdict
from shared.config.intake import SpamFilter
from tests.builders import EMMA, NOON, SUPPORT, a_desk, an_address_book

RELAY = "192.0.2.25"
OURS = "Received: from out.example by mx.desk.example; Mon, 23 Nov 2026 12:00:00 +0000\r\n"
THEIRS = "Received: from pc by out.example; Mon, 23 Nov 2026 11:59:00 +0000\r\n"
FLAG = "X-Spam-Flag: YES\r\n"
BOOK = an_address_book()


def settings(**changes: Any) -> SpamFilter:
    return SpamFilter.model_validate({"action": "quarantine", **changes})


def judged(head: str, *, row: dict[str, Any] | None = None, **changes: Any) -> tuple[str, str]:
    """What the record says of the mail, and why it is withheld."""
    raw = f"{head}From: ann@example.com\r\nSubject: Hello\r\n\r\nHello\r\n".encode()
    reading = read(raw, ())
    intake = {"spam": {"action": "quarantine", **changes}}
    desk = a_desk(intake=intake, door={"exempt": [RELAY]})
    given = {"client": RELAY, "recipient": SUPPORT, "mailbox": SUPPORT, "received_at": NOON}
    reason = Intake(lambda: desk, BOOK).believe(given | (row or {}), reading)
    assert "spam_fields" not in reading.fields
    return reading.fields["spam"], reason


def test_a_field_above_the_relays_own_received_is_believed() -> None:
    assert judged(FLAG + OURS + THEIRS) == ("x-spam-flag: YES", "x-spam-flag: YES")


@pytest.mark.parametrize("head", [OURS + FLAG + THEIRS, OURS + THEIRS + FLAG, FLAG])
def test_a_field_that_came_with_the_mail_is_not(head: str) -> None:
    assert judged(head) == ("", "")


def test_own_hosts_in_a_row_are_counted() -> None:
    assert judged(OURS + FLAG + OURS + THEIRS, hops=2)[1]
    assert not judged(OURS + OURS + FLAG + THEIRS, hops=2)[1]


def test_a_filter_that_removes_fields_of_senders_is_believed_wherever_it_writes() -> None:
    assert judged(OURS + THEIRS + FLAG, anywhere=True)[1]


def test_only_the_relays_own_mail_counts() -> None:
    assert judged(FLAG + OURS, row={"client": "198.51.100.9"}) == ("", "")
    assert judged(FLAG + OURS, row={"client": "192.0.2.26"}, relays=["192.0.2.26"])[1]
    assert not judged(FLAG + OURS, relays=["192.0.2.26"])[1]


def test_fetched_mail_has_been_through_the_providers_filter() -> None:
    assert judged(FLAG + OURS, row={"client": ""})[1]


@pytest.mark.parametrize(("action", "spam"), [("ignore", ""), ("mark", "x-spam-flag: YES")])
def test_only_quarantine_withholds(action: str, spam: str) -> None:
    assert judged(FLAG + OURS, action=action) == (spam, "")


def test_an_answer_to_a_signed_address_is_no_spam() -> None:
    to = BOOK.address(SUPPORT, "reply", ticket_id="T-1", party=EMMA)

    assert judged(FLAG + OURS, row={"recipient": to}) == ("", "")


def test_what_an_operator_let_through_is_no_spam() -> None:
    assert judged(FLAG + OURS, row={"let_through": True}) == ("", "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-spam-flag", "YES"),
        ("x-spam", "Yes"),
        ("x-spam-status", "Yes, score=15.2 required=5.0 tests=BAYES_99,URIBL_BLACK"),
        ("x-spamd-result", "default: True [15.00 / 15.00]; BAYES_SPAM(5.10)[100.00%]"),
    ],
)
def test_the_filters_own_verdict_counts(name: str, value: str) -> None:
    assert verdict([SpamField(0, name, value)], 1, settings())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-spam-flag", "NO"),
        ("x-spam-status", "No, score=4.9 required=5.0"),
        ("x-spamd-result", "default: False [3.10 / 15.00]"),
        ("x-spam-score", "99"),
        ("x-spam-level", "*********"),
        ("x-spam-score", "yes"),
    ],
)
def test_what_the_filter_lets_pass_is_no_spam(name: str, value: str) -> None:
    assert not verdict([SpamField(0, name, value)], 1, settings())


@pytest.mark.parametrize(
    ("name", "value", "score"),
    [
        ("x-spam-score", "7.5", 7.5),
        ("x-spam-score", "7.5/5.0", 7.5),
        ("x-spam-score", "-1.2 (-)", -1.2),
        ("x-spam-score", "high", None),
        ("x-spam-level", "****** x", 6.0),
        ("x-spam-status", "No, score=-0.1 required=5.0", -0.1),
        ("x-spamd-result", "default: False [6.10 / 15.00]", 6.1),
        ("x-spam-flag", "NO", None),
    ],
)
def test_scores_are_read(name: str, value: str, score: float | None) -> None:
    field = SpamField(0, name, value)

    assert score_of(field) == score
    assert bool(verdict([field], 1, settings(score=6.0))) == (score is not None and score >= 6)
