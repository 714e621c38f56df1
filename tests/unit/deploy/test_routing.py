"""A mail from a file is looked at as a mail that came in."""

from typing import Any

import pytest

from deploy.local.routing import question_of
from services.tickets.domain.contacts import People
from tests.builders import NOON, a_desk

RAW = b"From: emma@bakery.example\r\nTo: support@desk.example\r\nSubject: [urgent] Help\r\n%s\r\nx\r\n"


@pytest.mark.parametrize(
    ("options", "header", "seen"),
    [
        ({"use": True}, b"", ("urgent", "Help")),
        ({"use": True}, b"Auto-Submitted: auto-generated\r\n", ("", "Help")),
        ({}, b"", ("", "[urgent] Help")),
    ],
)
def test_a_priority_that_a_customer_asks_for_is_seen(
    options: dict[str, Any], header: bytes, seen: tuple[str, str]
) -> None:
    desk = a_desk(intake={"priority": options})

    question = question_of(RAW % header, desk, People(), mailbox="", now=NOON)

    assert (question.priority, question.subject) == seen
