"""Priorities that customers set: where they may, how, and what does not count."""

from typing import Any

import pytest

from shared.config.models import Desk
from shared.contracts.ticket import TicketOpened
from tests.builders import BILLING, SUPPORT, a_desk, a_mail


def a_desk_that_lets(**changes: Any) -> Desk:
    return a_desk(intake={"priority": {"use": True, **changes}})


@pytest.mark.parametrize("subject", ["[urgent] No internet", "No internet [URGENT]", "[ Urgent ]"])
def test_a_tag_in_the_subject_sets_the_priority_and_is_taken_out(desk, subject):
    desk.config = a_desk_that_lets()

    desk.receive(a_mail(subject=subject))

    assert desk.state().priority == desk.last(TicketOpened).asked_priority == "urgent"
    assert "rgent" not in desk.state().subject


@pytest.mark.parametrize(("importance", "priority"), [("high", "high"), ("low", "low")])
def test_the_mark_of_importance_moves_one_step_from_the_mailboxs_priority(
    desk, importance, priority
):
    desk.config = a_desk_that_lets()

    desk.receive(a_mail(importance=importance))

    assert desk.state().priority == priority


def test_a_step_ends_at_the_last_priority(desk):
    config = a_desk_that_lets().model_dump()
    config["mailboxes"][0]["priority"] = "urgent"
    desk.config = Desk.model_validate(config)

    desk.receive(a_mail(importance="high"))

    assert desk.state().priority == "urgent"


def test_a_tag_wins_over_the_mark_of_importance(desk):
    desk.config = a_desk_that_lets()

    desk.receive(a_mail(subject="[low] hello", importance="high"))

    assert desk.state().priority == "low"


@pytest.mark.parametrize(
    "options",
    [{}, {"use": False}, {"use": True, "staff_sets": True}, {"use": True, "mailboxes": [BILLING]}],
)
def test_without_the_option_or_where_staff_sets_it_a_tag_is_only_text(desk, options):
    desk.config = a_desk(intake={"priority": options})

    desk.receive(a_mail(subject="[urgent] No internet", importance="high"))

    assert (desk.state().priority, desk.state().subject) == ("normal", "[urgent] No internet")


def test_brackets_with_other_words_stay(desk):
    desk.config = a_desk_that_lets()

    desk.receive(a_mail(subject="[announce] [urgently] news"))

    assert (desk.state().priority, desk.state().subject) == ("normal", "[announce] [urgently] news")


def test_more_than_the_most_that_is_allowed_is_that(desk):
    desk.config = a_desk_that_lets(at_most="high")

    desk.receive(a_mail(subject="[urgent] No internet"))

    assert desk.state().priority == "high"


def test_the_most_that_is_allowed_never_takes_from_the_mailboxs_own(desk):
    config = a_desk_that_lets(at_most="low").model_dump()
    desk.config = Desk.model_validate(config)

    desk.receive(a_mail(subject="[urgent] No internet"))

    assert desk.state().priority == "normal"


def test_robots_set_no_priority(desk):
    desk.config = a_desk_that_lets()

    desk.receive(a_mail(subject="[urgent] disk full", automated=True, importance="high"))

    assert desk.state().priority == "normal"


def test_a_rule_that_names_a_priority_wins(desk):
    rule = {"name": "bills", "when": {"mailboxes": [BILLING]}, "then": {"priority": "low"}}
    desk.config = a_desk(intake={"priority": {"use": True}}, routing={"rules": [rule]})

    desk.receive(a_mail("one", subject="[urgent] a", mailbox=BILLING))
    desk.receive(a_mail("two", subject="[urgent] b", mailbox=SUPPORT))

    assert [desk.state(one).priority for one in ("T-1", "T-2")] == ["low", "urgent"]


def test_a_later_mail_changes_no_priority(desk):
    desk.config = a_desk_that_lets()
    desk.receive(a_mail(message_id="one@c"))

    desk.receive(a_mail("two", subject="[urgent] Re: No internet", in_reply_to="one@c"))

    assert (desk.state().priority, desk.state().messages) == ("normal", 2)


def test_a_priority_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="unknown priority 'flash'"):
        a_desk_that_lets(at_most="flash")
