"""Questions at opening, and the many ways in which people answer them."""

from collections.abc import Sequence
from typing import Any

import pytest

from services.tickets.commands import Claim, open_ticket
from services.tickets.domain.facts import STRANGER, Facts
from services.tickets.domain.questionnaire import answers_in
from services.tickets.mail_commands.asking import History, show_text
from shared.config.models import Desk
from shared.contracts.commands import OpenTicket
from shared.contracts.ticket import MessageAdded, QuestionsAnswered
from shared.contracts.ticket_state import AskedQuestion, GivenAnswer
from tests.builders import BILLING, EMMA, FAILED, NILS, SUPPORT, a_customers_answer, a_desk, a_mail

ASKED = [
    AskedQuestion(field="serial", text="What is the serial number of the device?"),
    AskedQuestion(field="since", text="Since when does it happen?"),
]
BOTH = {"serial": "NL-4711", "since": "Monday"}
QUOTE = """> 1. What is the serial number of the device?
>
> 2. Since when does it happen?
>
> A person will answer you."""


def found_in(reply: str, text: str = "", *, is_first: bool = True) -> dict[str, str]:
    return by_field(answers_in(reply, text, ASKED, is_first=is_first))


def by_field(answers: Sequence[GivenAnswer]) -> dict[str, str]:
    return {one.field: one.value for one in answers}


Q1, Q2 = (question.text for question in ASKED)
REPLIES = {
    "numbered": "1. NL-4711\n2. Monday",
    "in-brackets": "Hello,\n\n1) NL-4711\n2) Monday\n\nBest regards\nEmma",
    "apart": "(1) NL-4711\n\n(2): Monday",
    "below-the-number": "1.\nNL-4711\n\n2.\nMonday",
    "turned-round": "2: Monday\n1: NL-4711",
    "below-the-quote": f"> 1. {Q1}\nNL-4711\n\n> 2. {Q2}\n\nMonday\n\nBest regards\nEmma",
    "in-the-line": f"1. {Q1} NL-4711\n2. {Q2} Monday",
    "below-without-marks": f"1. {Q1}\nNL-4711\n\n2. {Q2}\nMonday",
    "wrapped": f"> > What is the serial number of\n> > the device?\nNL-4711\n> 2. {Q2}\nMonday",
    "retyped": "what is the SERIAL NUMBER of the device: NL-4711\nsince when does it happen - Monday",
}


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
def test_answers_are_read(reply: str) -> None:
    assert found_in(reply) == BOTH


def test_answers_in_the_quoted_lines_themselves_are_read() -> None:
    text = QUOTE.replace("device?", "device? NL-4711").replace("happen?", "happen? Monday")

    assert found_in("See below.", f"See below.\n{text}") == BOTH


def test_an_answer_may_have_several_lines_and_ends_with_its_paragraph() -> None:
    found = found_in("1. NL-4711,\n   and NL-4712\n\nBy the way: thank you.")

    assert found == {"serial": "NL-4711, and NL-4712"}


@pytest.mark.parametrize("reply", ["", "It works again, thank you.", "3. three\n0. zero", QUOTE])
def test_what_answers_nothing_is_no_answer(reply: str) -> None:
    assert found_in(reply, f"{reply}\n{QUOTE}") == {}


def test_after_the_first_answers_numbers_alone_count_no_more() -> None:
    assert found_in("1. I restarted it\n2. I waited", is_first=False) == {}
    assert found_in("Since when does it happen? Monday", is_first=False) == {"since": "Monday"}


def test_one_question_is_answered_by_a_single_paragraph() -> None:
    one = answers_in("NL-4711\n", "", ASKED[:1], is_first=True)

    assert by_field(one) == {"serial": "NL-4711"}
    assert answers_in("Hello,\n\nwell.\n\nBye", "", ASKED[:1], is_first=True) == []


def test_long_answers_are_cut() -> None:
    assert len(found_in(f"1. {'x' * 500}")["serial"]) == 200


def asking(**changes: Any) -> Desk:
    questions = [
        {"field": "serial", "text": ASKED[0].text, "translations": {"de": "Seriennummer?"}},
        {"field": "since", "text": ASKED[1].text},
    ]
    whole = a_desk(**changes).model_dump()
    whole["mailboxes"][0]["department"] = "repairs"
    whole["intake"]["questionnaires"] = [{"departments": ["repairs"], "questions": questions}]
    return Desk.model_validate(whole)


def test_a_new_ticket_of_the_department_asks_and_others_do_not(desk):
    desk.config = asking()

    desk.receive(a_mail("one"))
    asked = desk.last(MessageAdded).questions
    desk.receive(a_mail("two", mailbox=BILLING))

    assert asked == ASKED
    assert desk.last(MessageAdded).questions == []


def test_who_gets_no_acknowledgement_is_asked_nothing(desk):
    desk.config = asking()

    desk.receive(a_mail(authentication=FAILED))

    assert desk.last(MessageAdded).questions == []
    assert desk.ticket().asked == ()


def test_the_question_is_in_the_tickets_language(desk):
    whole = asking().model_dump()
    whole["mailboxes"][0]["language"] = "de"
    desk.config = Desk.model_validate(whole)

    desk.receive(a_mail(from_addr=NILS))

    assert desk.last(MessageAdded).questions[0].text == "Seriennummer?"


def test_the_requesters_answers_become_fields_one_after_the_other(desk):
    desk.config = asking()
    desk.receive(a_mail())

    first = desk.receive(a_customers_answer("1. NL-4711"))
    second = desk.receive(a_customers_answer("Since when does it happen? Monday"))
    third = desk.receive(a_customers_answer("1. Something else"))

    assert first == second == ["message-added", "questions-answered"]
    assert third == ["message-added"]
    assert by_field(desk.state().fields) == BOTH
    assert desk.last(QuestionsAnswered).by == f"customer:{EMMA}"


def test_only_the_requester_answers(desk):
    desk.config = asking()
    desk.receive(a_mail(cc=[NILS]))

    types = desk.receive(a_customers_answer("1. NL-4711", sender=NILS))

    assert types == ["message-added"]


def test_a_ticket_that_a_system_opens_asks_too(desk):
    command = OpenTicket(
        actor="system:portal", mailbox=SUPPORT, requester=EMMA, subject="Alarm", text="It rings."
    )

    decision = open_ticket(command, STRANGER, Claim("T-1"), Facts(desk.now, asking()))

    assert decision.story.ticket.asked == tuple(ASKED)


def test_a_department_that_no_mailbox_has_and_a_field_named_twice_are_refused():
    question = {"field": "a", "text": "?"}
    with pytest.raises(ValueError, match="unknown department 'repairs'"):
        a_desk(intake={"questionnaires": [{"departments": ["repairs"], "questions": [question]}]})
    with pytest.raises(ValueError, match="two questions have the same field"):
        a_desk(
            intake={"questionnaires": [{"departments": ["x"], "questions": [question, question]}]}
        )


def test_the_fields_are_in_what_show_answers(desk):
    desk.config = asking()
    desk.receive(a_mail())
    desk.receive(a_customers_answer("1. NL-4711"))

    text = show_text(desk.state(), History([], []), desk.config.agents[0], desk.config, desk.now)

    assert "Serial:    NL-4711" in text.splitlines()
