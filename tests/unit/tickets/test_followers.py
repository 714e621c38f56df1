"""Who is in copy of a ticket: by agents' words, by systems, by the mails of others; and who never."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.tickets import documents
from services.tickets.domain.evolve import evolve
from services.tickets.domain.followers import MAX_FOLLOWERS, copied
from services.tickets.mail_commands.asking import History, show_text
from services.tickets.mail_commands.words import WORDS
from shared.contracts.commands import BlindCopyTo, CopyTo
from shared.contracts.requests import CommandReceipt
from shared.contracts.ticket import DeliveryNoted, FollowersChanged, MailHeld, MessageAdded
from tests.builders import (
    ANA,
    BEN,
    BILLING,
    EMMA,
    FAILED,
    NILS,
    STRANGER,
    SUPPORT,
    a_bounce,
    a_customers_answer,
    a_desk,
    a_mail,
    a_token,
    an_agents_mail,
)
from tests.unit.tickets.memory_desk import MemoryDesk

ANNA, BOB, CARL = "anna@x.example", "bob@y.example", "carl@z.example"
UNPROVED = {"authentication": {"dmarc": "none"}, "token": None, "subject": "[T-1]"}


@pytest.fixture
def opened(desk: MemoryDesk) -> MemoryDesk:
    """A ticket of Emma's with Bob in copy."""
    desk.receive(a_mail(cc=[f"Bob <{BOB}>"]))
    return desk


def copies(desk: MemoryDesk) -> tuple[list[str], list[str]]:
    return desk.state().followers, desk.state().blind_followers


def order(desk: MemoryDesk, text: str, **more: Any) -> list[str]:
    """The types of events of a mail of Ana's; each is another mail."""
    return desk.receive(an_agents_mail(text, inbound_id=f"order-{len(desk.events)}", **more))


def codes(desk: MemoryDesk, text: str) -> list[str]:
    """What is wrong, line by line; nothing of it was done."""
    assert order(desk, text) == ["draft-held"]
    receipt = desk.requests[-1]
    assert isinstance(receipt, CommandReceipt)
    return [line.code for line in receipt.lines if line.code]


@pytest.mark.parametrize(
    ("words", "openly", "unseen"),
    [
        (f"#cc +{ANNA}", [BOB, ANNA], []),
        (f"#cc {ANNA}", [BOB, ANNA], []),
        (f"#cc +{ANNA} -{BOB}", [ANNA], []),
        (f"#cc {ANNA}, {CARL}; -{BOB}", [ANNA, CARL], []),
        (f"#cc ={ANNA} ={CARL}", [ANNA, CARL], []),
        (f"#cc = {ANNA} {BOB}", [BOB, ANNA], []),
        ("#cc =", [], []),
        (f"#bcc {ANNA}", [BOB], [ANNA]),
        (f"#bcc {BOB}", [], [BOB]),
        (f"#bcc -{BOB}", [], []),
        (f"#bcc ={ANNA}", [BOB], [ANNA]),
        (f"#cc +{ANNA}\n#cc -{BOB}\n#bcc {CARL}", [ANNA], [CARL]),
        (f"#cc <{ANNA.upper()}>", [BOB, ANNA], []),
        (f"#cc {ANNA} <mailto:{ANNA}>", [BOB, ANNA], []),
        (f"#cc \N{EN DASH}{BOB}", [], []),
        (f"@cc {ANNA}", [BOB, ANNA], []),
    ],
)
def test_the_words_add_take_out_and_replace(opened, words, openly, unseen):
    assert set(order(opened, words)) == {"followers-changed"}

    assert copies(opened) == (openly, unseen)


def test_the_text_of_the_same_mail_already_goes_to_who_is_added_and_not_to_who_is_out(opened):
    types = order(opened, f"#cc +{ANNA} -{BOB}\nThe fibre is repaired.")

    assert types[0] == "followers-changed"
    answer = opened.last(MessageAdded)
    assert (answer.state.followers, answer.message.cc) == ([ANNA], [ANNA])


def test_of_a_blind_copy_the_message_itself_knows_nothing(opened):
    order(opened, f"#bcc {ANNA}\nHello")

    answer = opened.last(MessageAdded)
    assert answer.state.blind_followers == [ANNA]
    assert answer.message.cc == [BOB]


def test_the_event_says_who_came_and_who_went_and_by_whom(opened):
    order(opened, f"#cc +{ANNA} -{BOB}")

    told = opened.last(FollowersChanged)
    assert (told.added, told.blind, told.removed) == ([ANNA], [], [BOB])
    assert told.by == f"agent:{ANA}"


def test_what_is_so_already_is_silent(opened):
    assert order(opened, f"#cc {BOB}") == []
    assert order(opened, f"#cc ={BOB}") == []


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("#cc", "E02"),
        ("#cc bob", "E03"),
        ("#cc + anna@x.example", "E03"),
        ("#cc - bob@y.example", "E03"),
        ("#cc anna@x.example@y.example", "E03"),
        (f"#cc {'a' * 200}@x.example", "E02"),
        (f"#cc -{ANNA}", "E03"),
        (f"#cc +{EMMA}", "E03"),
        (f"#cc {BEN}", "E03"),
        (f"#cc {SUPPORT}", "E03"),
        (f"#bcc {BILLING.replace('@', '+token@')}", "E03"),
        (f"#cc +{ANNA} -{ANNA}", "E07"),
    ],
)
def test_what_cannot_be_is_refused_with_its_text_kept(opened, word, code):
    assert codes(opened, f"{word}\nHello") == [code]
    assert copies(opened) == ([BOB], [])


@pytest.mark.parametrize(
    "words",
    [
        f"#cc +{ANNA}\n#cc -{ANNA}",
        f"#cc +{ANNA}\n#bcc +{ANNA}",
        f"#cc ={ANNA}\n#cc +{CARL}",
        f"#bcc +{BOB}\n#cc -{BOB}",
    ],
)
def test_lines_that_contradict_are_refused_in_any_order(opened, words):
    for text in (words, "\n".join(reversed(words.split("\n")))):
        assert set(codes(opened, text)) == {"E07"}


def test_who_is_not_in_copy_cannot_be_taken_out_unnoticed(opened):
    codes(opened, "#cc -bop@y.example")

    assert f"in copy: {BOB}" in opened.requests[-1].lines[0].message


def test_there_is_a_limit_that_leaving_makes_room_under(opened):
    many = [f"p{n}@x.example" for n in range(MAX_FOLLOWERS - 1)]
    for address in many:
        order(opened, f"#cc {address}")

    assert codes(opened, f"#bcc {ANNA}") == ["E02"]
    assert order(opened, f"#cc {ANNA}\n#cc -{BOB}") == ["followers-changed"] * 2
    assert len(opened.state().followers) == MAX_FOLLOWERS


def test_a_lock_and_later_mails_hinder_nobody_from_putting_in_copy(opened):
    order(opened, "#take", agent=BEN)
    opened.receive(a_customers_answer("And now?"))

    assert order(opened, f"#cc {ANNA}", number=1) == ["followers-changed"]


@pytest.mark.parametrize("rest", [CARL, f"+{CARL}, -{BOB}", f"<{CARL}>;"])
def test_a_list_that_a_mail_program_broke_in_two_is_held_and_goes_to_nobody(opened, rest):
    assert codes(opened, f"#bcc +{ANNA}\n{rest}\nHello") == ["E13"]
    assert "the rest of a list?" in opened.requests[-1].lines[-1].message
    answer = {"purpose": "confirm", "number": 1}
    assert order(opened, f"#bcc {ANNA} {CARL}", **answer) == ["draft-held"]  # the old text

    answer["number"] = 2
    assert order(opened, f"#bcc {ANNA} {CARL}\nHello", **answer)[0] == "followers-changed"

    assert opened.last(MessageAdded).message.text == "Hello"
    assert copies(opened) == ([BOB], [ANNA, CARL])


def test_addresses_that_are_meant_as_text_go_with_send_or_below_an_empty_line(opened):
    codes(opened, f"#cc {ANNA}\n{CARL}\nis our new address.")

    assert "message-added" in order(opened, "#send")
    assert opened.last(MessageAdded).message.text == f"{CARL}\nis our new address."
    assert "message-added" in order(opened, f"#cc {NILS}\n\n{CARL}")
    assert "message-added" in order(opened, f"#note\n{CARL}")
    assert "message-added" in order(opened, f"#cc {STRANGER}\n{CARL} is new.")


def test_check_says_so_and_does_nothing(opened):
    assert order(opened, f"#check\n#cc +{ANNA}") == []

    assert opened.requests[-1].lines[1].message == f"{ANNA} in copy"
    assert copies(opened) == ([BOB], [])


def test_systems_ask_for_the_same_with_typed_commands(opened):
    same = {"actor": "system:crm", "ticket_id": "T-1"}

    assert opened.command(CopyTo(**same, add=[ANNA], remove=[BOB])).is_accepted
    assert opened.command(BlindCopyTo(**same, add=[CARL])).is_accepted
    assert copies(opened) == ([ANNA], [CARL])
    assert opened.last(FollowersChanged).by == "system:crm"
    assert opened.command(CopyTo(**same, replace=True)).is_accepted
    assert copies(opened) == ([], [CARL])


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({}, "E02"),
        ({"add": ["no address"]}, "E03"),
        ({"add": [f"{ANNA} -{BOB}"]}, "E03"),
        ({"add": [""]}, "E03"),
        ({"add": [SUPPORT]}, "E03"),
        ({"remove": [ANNA]}, "E03"),
        ({"add": [ANNA], "remove": [ANNA]}, "E07"),
        ({"add": [f"p{n}@x.example" for n in range(MAX_FOLLOWERS)]}, "E02"),
    ],
)
def test_a_systems_command_is_rejected_as_a_mail_would_be(opened, wish, code):
    command = CopyTo(actor="system:crm", ticket_id="T-1", **wish)

    assert [one.code for one in opened.command(command).refusals] == [code]
    assert copies(opened) == ([BOB], [])


def test_a_system_that_may_not_is_told_so(opened):
    opened.config = a_desk(systems=[{"name": "crm", "commands": ["cc"]}])
    same = {"actor": "system:crm", "ticket_id": "T-1", "add": [ANNA]}

    assert opened.command(BlindCopyTo(**same)).refusals[0].code == "E05"
    assert opened.command(CopyTo(**same)).is_accepted


def test_an_answer_of_the_customer_with_copies_is_told_as_a_change(opened):
    types = opened.receive(a_customers_answer("Ask Anna.", cc=[f"Anna <{ANNA}>", SUPPORT, ANA]))

    assert types == ["message-added", "followers-changed"]
    told = opened.last(FollowersChanged)
    assert (told.added, told.by) == ([ANNA], f"customer:{EMMA}")
    assert copies(opened) == ([BOB, ANNA], [])


def test_answers_to_all_do_not_bring_back_whom_an_agent_took_out(opened):
    order(opened, f"#cc -{BOB}")

    opened.receive(a_customers_answer("Thank you all.", cc=[BOB]))
    assert copies(opened) == ([], [])

    order(opened, f"#cc {BOB}")
    order(opened, f"#cc -{BOB}\n#bcc {ANNA}")
    opened.receive(a_customers_answer("Thanks again.", cc=[BOB, ANNA]))
    assert copies(opened) == ([], [ANNA])


@pytest.mark.parametrize("who", ["out", "hidden"])
def test_who_is_out_or_hidden_brings_nobody(opened, who):
    order(opened, f"#cc -{BOB}" if who == "out" else f"#bcc {BOB}")

    mail = a_mail("Mine too.", from_addr=BOB, token=a_token("T-1", BOB), cc=[ANNA])

    assert opened.receive(mail) == ["message-added"]
    assert opened.state().followers == []


def test_a_sender_in_doubt_brings_nobody_and_agents_see_who_was_copied(opened):
    assert opened.receive(a_mail("Me.", cc=[ANNA], **UNPROVED)) == ["message-added"]

    assert copies(opened) == ([BOB], [])
    assert opened.last(MessageAdded).message.cc == [ANNA]
    assert f"Copy to: {ANNA}" in shown(opened)


@pytest.mark.parametrize(
    ("whom", "dmarc", "openly"),
    [
        ("all", "pass", [ANNA]),
        ("all", "none", [ANNA]),
        ("all", "fail", []),
        ("authenticated", "pass", [ANNA]),
        ("authenticated", "none", []),
    ],
)
def test_the_first_mail_puts_in_copy_whom_its_sender_may_be_believed_to_want(
    desk, whom, dmarc, openly
):
    desk.config = a_desk(customers={"acknowledge": whom})

    desk.receive(a_mail(cc=[ANNA], authentication={"dmarc": dmarc}))

    assert desk.state().followers == openly


def test_a_held_mail_that_opens_a_ticket_has_nobody_in_copy(desk):
    desk.config = a_desk(customers={"acknowledge": "all"})
    forged = a_mail("#close", from_addr=ANA, cc=[ANNA], authentication=FAILED,
                    token=a_token(None, ANA, purpose="desk"))  # fmt: skip

    assert "mail-held" in desk.receive(forged)
    assert desk.state().followers == []


@pytest.mark.parametrize("word", ["cc", "bcc"])
def test_a_followers_answer_is_appended_as_theirs_by_their_own_address(opened, word):
    order(opened, f"#{word} {ANNA}\nHello Anna")

    types = opened.receive(a_customers_answer("I agree.", sender=ANNA, authentication=FAILED))

    assert types == ["message-added"]
    message = opened.last(MessageAdded).message
    assert (message.author, message.unverified) == (f"customer:{ANNA}", False)
    assert not opened.last(MessageAdded).acknowledge
    assert opened.state().requester == EMMA


def test_a_followers_address_in_other_hands_is_held(opened):
    stolen = a_mail("I am Bob.", from_addr=STRANGER, token=a_token("T-1", BOB))

    assert opened.receive(stolen) == ["mail-held"]
    assert opened.last(MailHeld).message.unverified


def test_a_follower_answers_without_the_address_too_until_taken_out(opened):
    assert opened.receive(a_mail("By number.", from_addr=BOB, subject="[T-1] x")) == [
        "message-added"
    ]
    order(opened, f"#cc -{BOB}")

    assert "opened" in opened.receive(a_mail("Again.", from_addr=BOB, subject="[T-1] x"))


def test_a_followers_words_are_never_commands(opened):
    assert opened.receive(a_customers_answer(f"#cc {ANNA}", sender=BOB)) == ["message-added"]

    assert copies(opened) == ([BOB], [])


def test_a_followers_dead_address_is_noted_by_a_report_to_their_own_envelope(opened):
    token = a_token("T-1", BOB, purpose="bounce")
    report = a_mail(token=token, bounce=a_bounce(recipient=BOB), from_addr="daemon@y.example")

    assert opened.receive(report) == ["delivery-noted"]
    noted = opened.last(DeliveryNoted)
    assert (noted.recipient, noted.dead) == (BOB, True)


def test_show_tells_who_is_in_copy_and_how_it_came_about(opened):
    order(opened, f"#cc +{ANNA} -{BOB}\n#bcc {CARL}")

    text = shown(opened)

    assert f"In copy:   {ANNA}\n" in text
    assert f"Blind cc:  {CARL}\n" in text
    assert f"ticket.followers-changed (+{ANNA}, -{BOB})" in text
    assert f"ticket.followers-changed (+{CARL} (blind))" in text


def test_help_knows_the_words():
    assert {"cc", "bcc"} <= {word.name for word in WORDS}


def test_a_ticket_of_an_older_release_has_nobody_taken_out(opened):
    document = documents.ticket_document(opened.ticket(), 1)
    del document["taken_out"], document["state"]["blind_followers"]

    ticket = documents.ticket_of(document)

    assert (ticket.taken_out, ticket.state.blind_followers) == (frozenset(), [])


PEOPLE = [ANNA, BOB, CARL, NILS, EMMA, BEN, SUPPORT]
ITEMS = st.lists(st.tuples(st.sampled_from("+-="), st.sampled_from(PEOPLE)), min_size=1, max_size=4)
STEPS = st.lists(st.tuples(st.sampled_from(["cc", "bcc", "mail"]), ITEMS), max_size=8)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_whatever_is_asked_for_the_copies_stay_what_they_must_be(steps):
    desk = MemoryDesk()
    desk.receive(a_mail(cc=[BOB]))
    for number, (kind, items) in enumerate(steps):
        _do(desk, number, kind, items)

        openly, unseen = copies(desk)
        both = [*openly, *unseen]
        assert len(set(both)) == len(both) <= MAX_FOLLOWERS
        assert not {EMMA, BEN, SUPPORT} & set(both)
        assert set(both) <= desk.ticket().participants
        assert not set(both) & desk.ticket().taken_out

    again = None
    for event in desk.events:
        again = evolve(again, event)
    assert again == desk.ticket()


def _do(desk: MemoryDesk, number: int, kind: str, items: list[tuple[str, str]]) -> None:
    """One mail of the customer's or of an agent's: only what the words say has changed."""
    before = copies(desk)
    name = f"step-{number}"
    if kind == "mail":
        desk.receive(a_customers_answer(name, inbound_id=name, cc=[who for _, who in items]))
        assert (set(before[0]) - set(copies(desk)[0]), copies(desk)[1]) == (set(), before[1])
        return
    block = f"#{kind} " + " ".join(sign + who for sign, who in items)
    if "draft-held" in desk.receive(an_agents_mail(block, inbound_id=name)):
        assert copies(desk) == before
        return
    wanted = {who for sign, who in items if sign != "-"}
    gone = {who for sign, who in items if sign == "-"}
    mine = set(copies(desk)[kind == "bcc"])
    assert wanted <= mine
    assert not gone & {*copies(desk)[0], *copies(desk)[1]}
    if any(sign == "=" for sign, _ in items):
        assert mine == wanted


@given(fields=st.lists(st.text(max_size=80), max_size=5))
def test_any_words_in_the_field_give_addresses_that_are_not_ours(fields):
    found = copied(a_mail(cc=[*fields, f"Us <{SUPPORT}>", EMMA]), a_desk())

    assert all("@" in address and address == address.lower() for address in found)
    assert not {SUPPORT, EMMA, ANA} & set(found)


def shown(desk: MemoryDesk) -> str:
    history = History(desk.messages, desk.events)
    return show_text(desk.state(), history, desk.config.agents[0], desk.config, desk.now)
