import pytest

from services.tickets.domain.contacts import People
from services.tickets.domain.facts import Facts
from services.tickets.domain.trust import is_blocked
from shared.contracts.ticket import MailHeld, MessageAdded, TicketAssigned, TicketLinked
from tests.builders import (
    ANA,
    BEN,
    BILLING,
    CARLA,
    EMMA,
    FAILED,
    NOON,
    STRANGER,
    SUPPORT,
    a_bounce,
    a_contact,
    a_desk,
    a_mail,
    a_token,
    an_account,
)


def test_a_customers_mail_opens_a_ticket_that_the_next_in_the_rotation_gets(desk):
    types = desk.receive(a_mail())

    assert types == ["opened", "message-added", "assigned"]
    state = desk.state()
    assert (state.team, state.assignee, state.status) == ("support", ANA, "new")
    assert (state.contact_id, state.account_id, state.unknown_contact) == ("C-1", "A-1", False)
    assert desk.last(TicketAssigned).reason == "rotation"


def test_the_next_ticket_goes_to_the_next_agent(desk):
    desk.receive(a_mail("one"))
    desk.receive(a_mail("two"))

    assert [desk.state(name).assignee for name in ("T-1", "T-2")] == [ANA, BEN]


def test_a_stranger_gets_a_ticket_flagged_as_unknown_contact(desk):
    desk.receive(a_mail(from_addr=STRANGER))

    assert desk.state().unknown_contact
    assert desk.last(MessageAdded).acknowledge


def test_a_stranger_of_a_known_domain_belongs_to_the_account_but_stays_unknown(desk):
    desk.people = People([], [an_account()])

    desk.receive(a_mail(from_addr="new@bakery.example"))

    assert (desk.state().account_id, desk.state().unknown_contact) == ("A-1", True)


def test_a_contact_is_found_by_any_address_and_under_a_plus_address(desk):
    desk.people = People([a_contact("Emma", EMMA, "e.brand@home.example")])

    desk.receive(a_mail(from_addr="e.brand+work@home.example"))

    assert not desk.state().unknown_contact


def test_only_senders_that_authenticate_are_acknowledged(desk):
    desk.receive(a_mail(authentication=FAILED))

    assert not desk.last(MessageAdded).acknowledge


def test_a_closed_network_acknowledges_all(desk):
    desk.config = a_desk(customers={"acknowledge": "all"})

    desk.receive(a_mail(authentication=FAILED))

    assert desk.last(MessageAdded).acknowledge


def test_automatic_mail_is_filed_and_never_acknowledged(desk):
    for name, mark in enumerate(({"automated": True}, {"autoreply": True}, {"envelope_from": ""})):
        desk.receive(a_mail(str(name), **mark))

        assert not desk.last(MessageAdded).acknowledge


def test_a_mail_from_our_own_mailbox_is_never_acknowledged(desk):
    desk.receive(a_mail(from_addr="billing+abc@desk.example"))

    assert not desk.last(MessageAdded).acknowledge


def test_a_report_of_a_failed_delivery_opens_a_ticket_that_nobody_is_given(desk):
    types = desk.receive(a_mail(bounce=a_bounce(), envelope_from="", automated=True))

    assert types == ["opened", "message-added"]
    assert desk.state().assignee is None


def test_a_mail_that_could_not_be_read_is_a_ticket_with_the_original_attached(desk):
    desk.receive(a_mail("", unreadable="parser killed", raw_blob="in/abc", size_bytes=7))

    message = desk.messages[0]
    assert message.unreadable == "parser killed"
    assert [(f.name, f.blob) for f in message.attachments] == [("original.eml", "in/abc")]
    assert not desk.last(MessageAdded).acknowledge


def test_one_mail_to_two_mailboxes_makes_two_linked_tickets(desk):
    desk.receive(a_mail(inbound_id="a", message_id="x@c"))
    desk.receive(a_mail(inbound_id="b", message_id="x@c", mailbox=BILLING, recipient=BILLING))

    assert (desk.state("T-1").mailbox, desk.state("T-2").mailbox) == (SUPPORT, BILLING)
    assert desk.state("T-2").assignee == CARLA
    assert (desk.state("T-1").linked, desk.state("T-2").linked) == (["T-2"], ["T-1"])
    assert desk.last(TicketLinked).relation == "same-mail"


def test_another_mail_that_reuses_a_message_id_is_a_ticket_of_its_own(desk):
    desk.receive(a_mail("first", message_id="x@c"))
    types = desk.receive(a_mail("second", message_id="x@c"))

    assert types == ["opened", "message-added", "assigned"]


def test_numbers_of_other_tickets_do_not_stay_in_a_new_subject(desk):
    desk.receive(a_mail(subject="Re: [T-77] Invoice [T-78]"))

    assert desk.state().subject == "Re: Invoice"


def test_a_mail_to_an_altered_address_is_an_unverified_ticket(desk):
    desk.receive(a_mail(token=a_token(None, EMMA, state="forged")))

    assert desk.messages[0].unverified
    assert not desk.last(MessageAdded).acknowledge


def test_an_agent_without_a_signed_address_is_an_ordinary_customer(desk):
    types = desk.receive(a_mail("#close\nplease", from_addr=ANA))

    assert types == ["opened", "message-added", "assigned"]
    assert desk.messages[0].reply_text == "#close\nplease"


def test_a_forged_mail_to_a_desk_address_is_held_in_a_ticket_of_its_own(desk):
    token = a_token(None, ANA, purpose="desk")

    types = desk.receive(a_mail("#help", from_addr=STRANGER, token=token))

    assert types == ["opened", "mail-held", "assigned"]
    assert desk.last(MailHeld).message.unverified


def test_people_in_copy_follow_when_the_sender_is_beyond_doubt(desk):
    copied = ["Nils <nils@lindqvist.example>", SUPPORT, ANA, EMMA]

    desk.receive(a_mail("one", cc=copied))
    desk.receive(a_mail("two", cc=copied, authentication=FAILED))

    assert desk.state("T-1").followers == ["nils@lindqvist.example"]
    assert desk.state("T-2").followers == []


@pytest.mark.parametrize(
    "sender", ["eve@spam.example", "eve@mail.spam.example", "one@shop.example"]
)
def test_mail_of_a_blocked_sender_is_kept_and_no_more(desk, sender):
    desk.config = a_desk(customers={"blocked": ["Spam.example", "one@shop.example"]})

    assert desk.receive(a_mail(from_addr=sender)) == []
    assert desk.receive(a_mail("again", from_addr=sender, token=a_token("T-1", sender))) == []

    assert [message.kind for message in desk.messages] == ["system", "system"]


@pytest.mark.parametrize("sender", ["two@shop.example", "eve@notspam.example", "ann@example"])
def test_others_are_not_blocked(desk, sender):
    desk.config = a_desk(customers={"blocked": ["spam.example", "one@shop.example"]})

    assert "opened" in desk.receive(a_mail(from_addr=sender))


def test_who_works_at_the_desk_is_not_blocked():
    facts = Facts(NOON, a_desk(customers={"blocked": ["team.example"]}))

    assert not is_blocked(a_mail(from_addr=ANA), facts)


def test_what_a_filter_calls_spam_is_a_tagged_ticket_that_nobody_is_told_of(desk):
    desk.config = a_desk(customers={"acknowledge": "all"})

    desk.receive(a_mail(spam="x-spam-flag: YES"))

    assert desk.state().tags == ["spam"]
    assert not desk.last(MessageAdded).acknowledge
    assert "a filter calls it spam" in desk.messages[0].trust
