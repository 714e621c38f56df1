"""Senders that a lead bars by mail: asked whether they mean it, then kept out until admitted."""

import pytest

from shared.contracts.commands import Bar, Unbar
from shared.contracts.requests import CommandReceipt
from shared.contracts.ticket import SenderAdmitted, SenderBarred, SenderLimited
from shared.senders import MOST_PER_DAY, MOST_PER_HOUR, names_of
from tests.builders import (
    ANA,
    EMMA,
    LENA,
    SUPPORT,
    a_customers_answer,
    a_desk,
    a_mail,
    an_agents_mail,
)
from tests.unit.tickets.memory_desk import MemoryDesk

SELLER = "seller@watches.example"


@pytest.fixture
def spammed(desk: MemoryDesk) -> MemoryDesk:
    desk.receive(a_mail("Cheap watches", from_addr=SELLER))
    return desk


def asked(desk: MemoryDesk, text: str, agent: str = LENA) -> CommandReceipt:
    """The receipt of a mail that is held."""
    assert desk.receive(an_agents_mail(text, agent=agent)) == ["draft-held"]
    receipt = desk.requests[-1]
    assert isinstance(receipt, CommandReceipt)
    return receipt


def confirm(desk: MemoryDesk, text: str = "#confirm", agent: str = LENA) -> list[str]:
    number = desk.requests[-1].draft_number
    mail = an_agents_mail(text, agent=agent, purpose="confirm", number=number)
    return desk.receive(mail.model_copy(update={"inbound_id": f"confirm-{len(desk.events)}"}))


def test_nothing_happens_before_it_is_confirmed(spammed):
    receipt = asked(spammed, "#bar")

    assert [line.code for line in receipt.lines] == ["E12"]
    assert SELLER in receipt.lines[0].message
    assert "#confirm" in receipt.note
    assert "opened" in spammed.receive(a_mail("Again", from_addr=SELLER))


def test_confirmed_the_customer_is_kept_out_even_of_their_ticket(spammed):
    asked(spammed, "#bar\n#close")

    assert confirm(spammed) == ["closed", "sender-barred"]

    assert spammed.last(SenderBarred).sender == SELLER
    assert spammed.receive(a_mail("Again", from_addr=SELLER)) == []
    assert spammed.receive(a_customers_answer("And again", sender=SELLER)) == []


def test_a_domain_is_barred_with_all_below_it(spammed):
    asked(spammed, "#bar Watches.example")
    confirm(spammed)

    assert spammed.receive(a_mail("Again", from_addr="other@mail.watches.example")) == []
    assert "opened" in spammed.receive(a_mail("No", from_addr="a@notwatches.example"))


def test_unbar_lets_them_in_again_without_a_question(spammed):
    asked(spammed, "#bar")
    confirm(spammed)

    assert spammed.receive(an_agents_mail("#unbar", agent=LENA)) == ["sender-admitted"]

    assert spammed.last(SenderAdmitted).sender == SELLER
    assert "opened" in spammed.receive(a_mail("Sorry", from_addr=SELLER))


def test_it_needs_a_lead(spammed):
    assert [line.code for line in asked(spammed, "#bar", ANA).lines] == ["E05"]


def test_send_to_an_ordinary_address_confirms_nothing(spammed):
    asked(spammed, "#bar")

    assert spammed.receive(an_agents_mail("#send", agent=LENA)) == ["draft-held"]
    assert spammed.barred == set()


def test_a_confirmation_covers_no_other_command(spammed):
    asked(spammed, "#bar")

    assert confirm(spammed, "#confirm\n#bar bakery.example") == ["draft-held"]
    assert spammed.barred == set()


@pytest.mark.parametrize("name", [ANA, "team.example", SUPPORT, "desk.example", "example", "com"])
def test_nobody_who_works_here_and_no_whole_world_is_barred(spammed, name):
    assert [line.code for line in asked(spammed, f"#bar {name}").lines] == ["E05"]


def test_what_is_no_sender_is_refused(spammed):
    assert [line.code for line in asked(spammed, "#bar not/a/name").lines] == ["E03"]


def test_what_the_configuration_blocks_is_not_admitted_by_mail(spammed):
    spammed.config = a_desk(customers={"blocked": ["watches.example"]})

    assert [line.code for line in asked(spammed, "#unbar").lines] == ["E05"]


def test_a_system_bars_without_being_asked_and_an_agents_role_counts_there_too(spammed):
    systems = [{"name": "crm", "acts_for_agents": True}]
    spammed.config = a_desk(systems=systems)
    command = {"actor": "system:crm", "ticket_id": "T-1"}

    refused = spammed.command(Bar(**command, on_behalf_of=ANA))
    barred = spammed.command(Bar(**command, sender=EMMA))

    assert [one.code for one in refused.refusals] == ["E05"]
    assert barred.is_accepted
    assert spammed.barred == {EMMA}
    assert spammed.command(Unbar(**command, sender=EMMA)).is_accepted
    assert spammed.barred == set()


def test_a_number_limits_the_sender_after_a_question(spammed):
    receipt = asked(spammed, "#bar Watches.example 5/h 20/d")

    assert receipt.lines[0].message.startswith(
        "mail of everybody at watches.example beyond 5 an hour and 20 a day would wait"
    )
    assert confirm(spammed) == ["sender-limited"]
    event = spammed.last(SenderLimited)
    assert (event.sender, event.per_hour, event.per_day) == ("watches.example", 5, 20)
    assert "opened" in spammed.receive(a_mail("Again", from_addr=SELLER))


def test_a_limit_takes_the_place_of_a_bar(spammed):
    asked(spammed, "#bar")
    confirm(spammed)
    asked(spammed, "#bar 5/H")

    assert confirm(spammed) == ["sender-limited"]

    assert spammed.last(SenderLimited).sender == SELLER
    assert spammed.barred == set()


@pytest.mark.parametrize("pace", ["0/h", f"{MOST_PER_HOUR + 1}/h", f"{MOST_PER_DAY + 1}/d", "5/w"])
def test_what_is_no_limit_is_refused(spammed, pace):
    assert [line.code for line in asked(spammed, f"#bar {SELLER} {pace}").lines] == ["E03"]


def test_nobody_who_works_here_is_limited(spammed):
    assert [line.code for line in asked(spammed, f"#bar {ANA} 5/h").lines] == ["E05"]


@pytest.mark.parametrize(
    "customers",
    [{"limited": [{"who": SELLER, "per_day": 1}]}, {"blocked": ["watches.example"]}],
)
def test_what_the_configuration_says_of_a_sender_is_not_overruled_by_mail(spammed, customers):
    spammed.config = a_desk(customers=customers)

    assert [line.code for line in asked(spammed, "#bar 50/h").lines] == ["E05"]


def test_a_system_limits_without_being_asked(spammed):
    limited = spammed.command(Bar(actor="system:crm", ticket_id="T-1", per_day=9))

    assert limited.is_accepted
    assert limited.story.events[-1].per_day == 9


def test_the_names_of_an_address_are_itself_and_the_domains_above_it() -> None:
    assert names_of("a@b.c.example") == ["a@b.c.example", "b.c.example", "c.example", "example"]
