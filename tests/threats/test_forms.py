"""Contact forms on a desk that checks senders: the real one speaks for people, a forged one not."""

import pytest

from tests.threats.guarded import SUPPORT, Guarded, Writer

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]
FORM = "form@shop.example"


def fill_in(form: Writer, person: str, text: str) -> str:
    headers = {"Reply-To": person, "Auto-Submitted": "auto-generated"}
    return form.write(SUPPORT, "Contact form: delivery", text, headers=headers)


@pytest.mark.feature("I06")
def test_a_form_opens_the_ticket_for_the_person_in_reply_to_who_gets_all_answers(
    guarded: Guarded,
) -> None:
    emma, form = guarded.customer(), guarded.person(FORM, "Shop")

    row = guarded.filed(fill_in(form, f"Emma Brand <{emma.address}>", "Do you deliver to Bergen?"))

    ack = emma.wait_for()
    number = row["ticket_id"]
    assert f"[{number}]" in ack.subject
    assert guarded.show(number)["requester"] == emma.address
    agent, notice = guarded.agent_and_notice(number)
    assert "through the contact form shop" in notice.text
    agent.answer(notice, "We do, every Tuesday.", quote=False)
    assert "every Tuesday" in emma.wait_for().text
    assert form.letters() == []

    emma.answer(ack, "Wonderful.")
    agent.wait_for(lambda x: number in x.subject and "Wonderful." in x.text)


@pytest.mark.feature("I06")
def test_a_forged_form_opens_no_ticket_for_its_victim(guarded: Guarded) -> None:
    victim = guarded.customer()
    forger = guarded.forger(FORM, "Shop", signs_as="evil.example")

    sent = fill_in(forger, victim.address, "Buy my watches.")

    row = guarded.filed(sent)
    guarded.settled(sent, victim.address)
    assert (row["from_addr"], row["unverified"]) == (FORM, True)
    assert guarded.show(row["ticket_id"])["requester"] == FORM
    assert victim.letters() == []
