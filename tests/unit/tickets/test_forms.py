"""A trusted form's mail is the words of the person in Reply-To; nobody else's Reply-To counts."""

from typing import Any

from services.tickets.domain.forms import as_written
from shared.contracts.mail import MailReceived
from shared.contracts.ticket import MessageAdded, TicketLinked
from tests.builders import ANA, EMMA, FAILED, STRANGER, a_desk, a_mail, a_token

FORM = "form@shop.example"
FORMS = {"forms": [{"name": "shop", "sender": FORM}]}


def a_filled_in_form(text: str = "I need an offer.", **changes: Any) -> MailReceived:
    """As ingest tells of it."""
    given = {
        "from_addr": FORM,
        "from_name": "Shop",
        "reply_to": EMMA,
        "reply_to_name": "Emma B.",
        "reply_to_count": 1,
        "form": "shop",
        "automated": True,
        "envelope_from": "",
    }
    return a_mail(text, **given | changes)


def test_the_ticket_is_the_persons_and_they_are_acknowledged(desk):
    desk.config = a_desk(intake=FORMS)

    desk.receive(as_written(a_filled_in_form(cc=["sales@shop.example"])))

    state, added = desk.state(), desk.last(MessageAdded)
    assert (state.requester, state.requester_name, state.source) == (EMMA, "Emma B.", "form")
    assert (state.contact_id, state.followers) == ("C-1", [])
    assert added.acknowledge
    assert (added.message.from_addr, added.message.automated) == (EMMA, False)
    assert "contact form shop" in added.message.trust
    assert added.message.authentication == "none"


def test_a_form_may_be_set_to_acknowledge_nobody(desk):
    desk.config = a_desk(intake={"forms": [FORMS["forms"][0] | {"acknowledge": False}]})

    desk.receive(as_written(a_filled_in_form()))

    assert not desk.last(MessageAdded).acknowledge


def test_reply_to_of_any_other_mail_names_nobody(desk):
    desk.config = a_desk(intake=FORMS)
    mail = a_mail(from_addr=STRANGER, reply_to=EMMA, reply_to_count=1)

    assert as_written(mail) is mail
    desk.receive(mail)

    assert desk.state().requester == STRANGER
    assert f"asks for answers to {EMMA}" in desk.messages[0].trust


def test_who_only_names_the_form_gets_a_ticket_that_is_marked_and_no_answer(desk):
    desk.config = a_desk(intake=FORMS, customers={"acknowledge": "all"})

    desk.receive(a_mail(from_addr=FORM, reply_to=EMMA, authentication=FAILED))

    assert desk.state().requester == FORM
    assert desk.messages[0].unverified
    assert not desk.last(MessageAdded).acknowledge


def test_nobody_gets_into_a_ticket_by_a_form_with_its_requesters_address(desk):
    desk.config = a_desk(intake=FORMS)
    desk.receive(a_mail())

    desk.receive(as_written(a_filled_in_form(subject="Re: [T-1] No internet")))

    assert desk.state("T-1").messages == 1
    assert desk.last(TicketLinked).relation == "suspected"


def test_an_agents_address_in_a_form_acts_for_no_agent(desk):
    desk.config = a_desk(intake=FORMS, agent_mail={"trust": "token"})
    desk.receive(a_mail())
    token = a_token("T-1", ANA, number=99)

    types = desk.receive(as_written(a_filled_in_form("#close", reply_to=ANA, token=token)))

    assert desk.state("T-1").status == "new"
    assert types == ["mail-held"]


def test_rules_can_tell_forms_from_mail(desk):
    rule = {"name": "web", "when": {"sources": ["form"]}, "then": {"category": "fault"}}
    desk.config = a_desk(intake=FORMS, routing={"rules": [rule]})

    desk.receive(as_written(a_filled_in_form()))
    desk.receive(a_mail("other"))

    assert [desk.state(name).category for name in ("T-1", "T-2")] == ["fault", ""]
