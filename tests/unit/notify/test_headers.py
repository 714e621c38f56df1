import base64
import hashlib
import re
from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notify.domain import headers
from services.notify.domain.headers import Head, MailClass
from tests.unit.notify.cases import BOOK, EMMA, NOW, field

ROOT = BOOK.root_id("T-1")
M365_ID = "AM0PR04MB1234567890ABCDEF1234567890ABCDEF1234567890@AM0PR04MB12.eurprd04.prod.outlook"


def a_head(mail_class: MailClass = "answer", **more: object) -> Head:
    head = Head(
        mail_class=mail_class,
        reason="assigned",
        event_id="T-1.2",
        message_id=BOOK.message_id("T-1", "a" * 32),
        root_id=ROOT,
        date=NOW,
        subject="[T-1] No dial tone",
        sender=("Nordlicht Support", "support@desk.example"),
        to=[("", EMMA)],
        host="desk.example",
        queue="support",
        reply_to="support@desk.example",
        thread_index=headers.thread_index("", ticket="T-1@desk.example", seed="a", at=NOW),
        unsubscribe="mailto:support@desk.example?subject=Unsubscribe",
    )
    return replace(head, **more)  # type: ignore[arg-type]


# Class, Auto-Submitted, Precedence, X-Auto-Response-Suppress, List-Id, List-Unsubscribe.
PROFILES = [
    ("acknowledgement", "auto-replied", "", "All", "", False),
    ("answer", "", "", "", "", False),
    ("resolution", "auto-generated", "", "OOF, AutoReply", "", False),
    ("notice", "auto-generated", "", "All", "<assigned.support.desk.example>", False),
    ("watch", "auto-generated", "", "All", "<watch.support.desk.example>", True),
    ("digest", "auto-generated", "bulk", "All", "<digest.desk.example>", True),
    ("result", "auto-replied", "", "All", "<cmd.desk.example>", False),
]


@pytest.mark.parametrize(
    ("mail_class", "submitted", "precedence", "suppress", "list_id", "unsubscribe"), PROFILES
)
def test_each_class_says_what_it_is_and_nothing_else(
    mail_class: MailClass,
    submitted: str,
    precedence: str,
    suppress: str,
    list_id: str,
    unsubscribe: bool,
) -> None:
    raw = headers.fields(a_head(mail_class))

    assert field(raw, "Auto-Submitted") == submitted
    assert field(raw, "Precedence") == precedence
    assert field(raw, "X-Auto-Response-Suppress") == suppress
    assert field(raw, "List-Id") == list_id
    assert bool(field(raw, "List-Unsubscribe")) is unsubscribe


def test_every_class_has_a_row_in_the_table() -> None:
    assert {row[0] for row in PROFILES} == set(get_args(MailClass)) == set(headers.PROFILES)


@pytest.mark.parametrize("mail_class", get_args(MailClass))
def test_every_mail_has_the_fields_that_all_mails_have(mail_class: MailClass) -> None:
    raw = headers.fields(a_head(mail_class))

    wanted = [
        *("Date", "From", "To", "Subject", "Message-ID", "In-Reply-To", "References", "Reply-To"),
        *("Thread-Index", "Thread-Topic", "X-Postdesk-Reason", "X-Postdesk-Event", "Feedback-ID"),
    ]
    assert [name for name in wanted if not field(raw, name)] == []
    assert field(raw, "X-Entity-Ref-ID") == field(raw, "X-Priority") == ""
    assert EMMA not in field(raw, "Feedback-ID")


def test_the_first_mail_refers_to_the_root_already() -> None:
    raw = headers.fields(a_head())

    assert field(raw, "References") == field(raw, "In-Reply-To") == f"<{ROOT}>"


def test_the_recipients_own_last_mail_is_the_parent() -> None:
    raw = headers.fields(a_head(ids=["one@x", "two@x"], own_id="two@x"))

    assert field(raw, "In-Reply-To") == "<two@x>"
    assert field(raw, "References") == f"<{ROOT}> <one@x> <two@x>"


def test_long_ids_and_urls_leave_without_encoded_words() -> None:
    ids = [f"{n}{M365_ID}" for n in range(12)]
    url = f"mailto:support@desk.example?subject={'u' * 300}"

    raw = headers.fields(a_head("digest", ids=ids, own_id=ids[-1], unsubscribe=url))

    for name in ("References", "In-Reply-To", "List-Unsubscribe", "Message-ID"):
        assert "=?" not in field(raw, name)
    assert field(raw, "In-Reply-To") == f"<{ids[-1]}>"
    assert field(raw, "List-Unsubscribe") == f"<{url}>"
    assert max(map(len, raw.split(b"\r\n"))) <= 998


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(alphabet="abc123.-@$=", min_size=3, max_size=300), max_size=30))
def test_references_keep_root_and_parent_within_their_budget(ids: list[str]) -> None:
    parent = "parent@x"

    found = headers.references(ROOT, ids, parent)

    assert len(found) <= headers.REFERENCES_OCTETS
    listed = re.findall(r"<([^>]+)>", found)
    assert (listed[0], listed[-1]) == (ROOT, parent)
    assert len(listed) <= headers.REAL_IDS + 2
    assert len(set(listed)) == len(listed)


@pytest.mark.parametrize("bad", ["a b@c", "a>b@c", "a\r\nBcc: x@y", "é@x", "", "a" * 900])
def test_an_id_that_is_none_is_left_out(bad: str) -> None:
    assert headers.references(ROOT, [bad, "good@x"], bad) == f"<{ROOT}> <good@x>"


def test_the_subject_is_the_tickets_for_ever_and_marked_once() -> None:
    assert headers.ticket_subject("T-7", "Invoice") == "[T-7] Invoice"
    assert headers.ticket_subject("T-7", "[T-7] Invoice") == "[T-7] Invoice"
    assert headers.ticket_subject("T-7", "") == "[T-7] (no subject)"
    assert headers.ticket_subject("T-7", "a\r\nBcc: x@y") == "[T-7] a Bcc: x@y"


def index(parent: str = "", *, ticket: str = "T-1@desk.example", minutes: int = 0) -> bytes:
    at = NOW + timedelta(minutes=minutes)
    return base64.b64decode(headers.thread_index(parent, ticket=ticket, seed="s", at=at))


def test_a_fresh_thread_index_has_22_bytes_and_the_tickets_guid() -> None:
    first, second = index(), index(minutes=90)

    assert len(first) == len(second) == 22
    assert first[0] == 1
    assert first[6:] == second[6:]


@pytest.mark.parametrize("size", [22, 27, 32])
def test_an_answer_extends_the_customers_thread_index_by_five_bytes(size: int) -> None:
    parent = index() + b"12345" * ((size - 22) // 5)

    child = index(base64.b64encode(parent).decode(), minutes=10)

    assert len(child) == size + 5
    assert child.startswith(parent)


@pytest.mark.parametrize("garbage", ["", "?", "AAAA", base64.b64encode(b"\2" * 22).decode(), "é"])
def test_a_broken_thread_index_is_replaced_by_a_fresh_one(garbage: str) -> None:
    assert index(garbage) == index()


def test_two_cases_with_the_same_subject_stay_apart_in_outlook() -> None:
    one, two = (headers.ticket_subject(t, "Invoice") for t in ("T-1", "T-2"))

    assert _outlook_hash(one) != _outlook_hash(two)
    assert index(ticket="T-1@desk.example")[6:] != index(ticket="T-2@desk.example")[6:]


def _outlook_hash(subject: str) -> str:
    """MS-OXOMSG 2.2.1.2: MD5 of the upper-cased topic, 255 characters at most."""
    return hashlib.md5(subject[:255].upper().encode("utf-16-le"), usedforsecurity=False).hexdigest()


def test_the_same_head_gives_the_same_bytes() -> None:
    assert headers.fields(a_head()) == headers.fields(a_head())
