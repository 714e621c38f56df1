import pytest

from services.tickets.domain.contacts import People
from shared.contracts.ticket import DeliveryNoted, MailHeld, MessageAdded, SurveyAnswered
from tests.builders import (
    ANA,
    EMMA,
    FAILED,
    NILS,
    STRANGER,
    a_bounce,
    a_contact,
    a_customers_answer,
    a_mail,
    a_token,
    an_agents_mail,
    later,
)
from tests.unit.tickets.memory_desk import BOOK


@pytest.fixture
def opened(desk):
    desk.receive(a_mail())
    return desk


@pytest.fixture
def resolved(opened):
    opened.receive(an_agents_mail("#resolve\nFixed.", received_at=later(minutes=5)))
    return opened


def test_an_answer_to_the_signed_address_is_appended(opened):
    assert opened.receive(a_customers_answer()) == ["message-added"]


def test_an_answer_without_the_address_is_found_by_our_message_id(opened):
    ours = BOOK.message_id("T-1", "x")

    assert opened.receive(a_mail("again", references=[ours])) == ["message-added"]


def test_an_answer_is_found_by_the_id_of_a_stored_message(opened):
    earlier = opened.messages[0].message_id

    assert opened.receive(a_mail("again", in_reply_to=earlier)) == ["message-added"]


def test_an_answer_is_found_by_the_number_in_the_subject(opened):
    assert opened.receive(a_mail("again", subject="AW: [T-1] No internet")) == ["message-added"]


def test_a_contacts_other_address_takes_part_too(opened):
    opened.people = People([a_contact("Emma", EMMA, "e@home.example")])

    types = opened.receive(a_mail("again", from_addr="e@home.example", subject="[T-1]"))

    assert types == ["message-added"]


@pytest.mark.parametrize("clue", [{"subject": "[T-1] x"}, {"references": [BOOK.root_id("T-1")]}])
def test_a_stranger_who_guesses_gets_a_linked_ticket_of_his_own(opened, clue):
    types = opened.receive(a_mail("me too", from_addr=STRANGER, **clue))

    assert types == ["opened", "message-added", "assigned", "linked", "linked"]
    assert opened.state("T-1").messages == 1
    assert opened.state("T-2").linked == ["T-1"]


@pytest.mark.parametrize("doubt", [{"authentication": FAILED}, {"from_count": 2}])
def test_a_doubtful_mail_in_a_participants_name_is_held(opened, doubt):
    types = opened.receive(a_mail("send it there", subject="[T-1] x", **doubt))

    assert types == ["mail-held"]
    assert opened.last(MailHeld).message.unverified


@pytest.mark.parametrize("state", ["valid", "expired"])
def test_a_reply_address_used_by_somebody_else_is_held(opened, state):
    token = a_token("T-1", EMMA, state=state)

    assert opened.receive(a_mail("hello", from_addr=STRANGER, token=token)) == ["mail-held"]


def test_an_agents_reply_address_used_from_elsewhere_is_held(opened):
    token = a_token("T-1", ANA)

    types = opened.receive(a_mail("#close\nbye", from_addr=STRANGER, token=token))

    assert types == ["mail-held"]
    assert opened.state().status == "new"


def test_a_follower_may_answer_by_the_requesters_address(desk):
    desk.receive(a_mail(cc=[NILS]))

    assert desk.receive(a_mail("yes", from_addr=NILS, token=a_token("T-1", EMMA))) == [
        "message-added"
    ]


def test_an_answer_wakes_a_pending_ticket(opened):
    opened.receive(an_agents_mail("#pending\nWhich line?"))

    assert opened.receive(a_customers_answer()) == ["message-added", "status-changed"]
    assert opened.state().status == "open"


def test_an_answer_within_seven_days_reopens(resolved):
    types = resolved.receive(a_customers_answer("Still dead.", received_at=later(days=6)))

    assert types == ["message-added", "reopened"]
    assert (resolved.state().status, resolved.state().resolved_at) == ("open", None)


def test_a_later_answer_opens_a_ticket_that_continues_the_old_one(resolved):
    types = resolved.receive(a_customers_answer("Dead again.", received_at=later(days=8)))

    assert types == ["opened", "message-added", "assigned", "linked", "linked"]
    assert resolved.state("T-1").status == "resolved"
    assert resolved.state("T-2").linked == ["T-1"]


@pytest.mark.parametrize("mark", ["automated", "autoreply"])
def test_an_automatic_answer_never_reopens(resolved, mark):
    types = resolved.receive(a_customers_answer("I am away.", **{mark: True}))

    assert types == ["message-added"]
    assert resolved.state().status == "resolved"


def test_a_one_click_rating_is_recorded_once_and_the_last_one_counts(resolved):
    def click(score, text=""):
        token = a_token("T-1", EMMA, purpose="survey", number=8 + score)
        return resolved.receive(a_mail(text, token=token))

    assert click(5) == ["survey-answered"]
    assert click(5) == []
    assert click(2, "slow") == ["survey-answered"]
    assert (resolved.state().survey.score, resolved.state().survey.comment) == (2, "slow")
    assert resolved.last(SurveyAnswered).agent == ANA
    assert resolved.state().status == "resolved"


def test_a_rating_in_words_is_recorded_and_does_not_reopen(resolved):
    assert resolved.receive(a_customers_answer("5, great")) == ["survey-answered"]
    assert resolved.state().survey.comment == "great"


def test_a_rating_by_somebody_else_is_held(resolved):
    token = a_token("T-1", EMMA, purpose="survey", number=8 + 1)

    assert resolved.receive(a_mail("1", from_addr=STRANGER, token=token)) == ["mail-held"]


def test_a_rating_of_a_resolution_that_never_was_changes_nothing(opened):
    token = a_token("T-1", EMMA, purpose="survey", number=8 + 5)

    assert opened.receive(a_mail("", token=token)) == []


def test_a_bounce_shows_on_its_ticket_and_does_no_more(resolved):
    token = a_token("T-1", EMMA, purpose="bounce")
    mail = a_mail(token=token, bounce=a_bounce(), from_addr="mailer-daemon@x.example")

    assert resolved.receive(mail) == ["delivery-noted"]
    assert resolved.last(DeliveryNoted).outcome == "bounced"
    assert resolved.state().status == "resolved"


def test_every_mail_is_exactly_one_stored_message(resolved):
    survey = a_token("T-1", EMMA, purpose="survey", number=8 + 5)
    resolved.receive(a_mail("", inbound_id="rating", token=survey))
    resolved.receive(an_agents_mail("#priority high", inbound_id="order"))
    resolved.receive(an_agents_mail("#closs", inbound_id="typo"))

    ids = [message.inbound_id for message in resolved.messages if message.inbound_id]
    assert sorted(ids) == sorted(set(ids))
    assert {"rating", "order", "typo"} <= set(ids)


def test_a_doubtful_sender_cannot_add_people_in_copy(opened):
    opened.receive(a_mail("x", subject="[T-1]", cc=[STRANGER], authentication={"dmarc": "none"}))

    assert opened.state().followers == []


def test_a_later_contact_record_links_a_flagged_ticket(desk):
    desk.people = People()
    desk.receive(a_mail())
    desk.people = People([a_contact()])

    assert desk.receive(a_customers_answer()) == ["contact-linked", "message-added"]
    assert not desk.state().unknown_contact


def test_the_first_message_of_a_thread_is_acknowledged_and_no_other(opened):
    opened.receive(a_customers_answer())

    assert not opened.last(MessageAdded).acknowledge
