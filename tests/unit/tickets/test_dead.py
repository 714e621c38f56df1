import pytest

from services.tickets.domain.dead import is_dead, status_of
from services.tickets.domain.decide_delivery import decide_delivery
from services.tickets.domain.facts import Facts
from shared.contracts.commands import Lift
from shared.contracts.delivery import MailDeferred, MailFailed
from shared.contracts.ticket import AddressLifted, DeliveryNoted
from tests.builders import (
    ANA,
    EMMA,
    LENA,
    NOON,
    a_bounce,
    a_desk,
    a_mail,
    a_token,
    an_agents_mail,
)


@pytest.fixture
def opened(desk):
    desk.receive(a_mail())
    return desk


def test_a_lead_lifts_the_requesters_address_or_the_one_named(opened):
    assert opened.receive(an_agents_mail("#lift", agent=LENA)) == ["address-lifted"]
    assert opened.last(AddressLifted).recipient == EMMA

    opened.receive(an_agents_mail("#lift Jo@Else.example\nWelcome.", agent=LENA))
    assert opened.last(AddressLifted).recipient == "jo@else.example"


@pytest.mark.parametrize(
    ("text", "agent", "code"),
    [("#lift", ANA, "E05"), ("#lift else.example", LENA, "E03"), ("#lift a@b c@d", LENA, "E03")],
)
def test_who_may_not_lift_and_what_is_no_address_is_refused(opened, text, agent, code):
    assert opened.receive(an_agents_mail(text, agent=agent)) == ["draft-held"]
    assert [line.code for line in opened.requests[-1].lines] == [code]


def test_a_system_lifts_an_address(opened):
    command = {"actor": "system:crm", "ticket_id": "T-1"}

    assert opened.command(Lift(**command, address="jo@else.example")).is_accepted
    assert opened.last(AddressLifted).recipient == "jo@else.example"
    assert opened.command(Lift(**command)).is_accepted
    assert opened.last(AddressLifted).recipient == EMMA


@pytest.mark.parametrize(
    ("status", "words", "dead"),
    [
        ("5.1.1", "smtp; 550 5.1.1 no such user", True),
        ("5.1.2", "Host unknown", True),
        ("5.1.10", "RESOLVER.ADR.RecipientNotFound", True),
        ("5.2.1", "account disabled", True),
        ("5.4.4", "Host not found", True),
        ("5.0.0", "550 mailbox unavailable", True),
        ("5.5.0", "Requested action not taken: mailbox unavailable", True),
        ("4.1.1", "try later", False),
        ("4.2.2", "over quota", False),
        ("5.2.2", "mailbox full", False),
        ("5.1.1", "550 5.1.1 the mailbox of this user is full: over quota", False),
        ("5.0.0", "554 message refused as spam", False),
        ("5.1.8", "bad sender's system address", False),
        ("5.2.3", "message too large", False),
        ("5.3.4", "message too big for system", False),
        ("5.7.1", "refused by policy", False),
        ("", "user unknown", False),
    ],
)
def test_what_ends_all_mail_to_an_address(status: str, words: str, dead: bool) -> None:
    assert is_dead(status, words) is dead


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        ("550 5.1.1 <x@y.example>: unknown", "5.1.1"),
        ("550 unknown, see 5.1.1", ""),
        ("not sent: the address is dead since 2026-11-20: 550 5.1.1 unknown", ""),
        ("450 4.2.1 later", ""),
    ],
)
def test_a_code_counts_only_where_the_reply_begins_with_it(reply: str, status: str) -> None:
    assert status_of(reply) == status


@pytest.mark.parametrize(
    ("status", "kind", "purpose", "state", "recipient", "dead"),
    [
        ("5.1.1", "failed", "bounce", "valid", EMMA, True),
        ("5.1.1", "failed", "bounce", "valid", EMMA.upper(), True),
        ("5.1.1", "failed", "bounce", "valid", "other@harbour-bakery.example", False),
        ("5.1.1", "failed", "bounce", "expired", EMMA, False),
        ("5.2.2", "failed", "bounce", "valid", EMMA, False),
        ("5.1.1", "delayed", "bounce", "valid", EMMA, False),
    ],
)
def test_only_a_report_to_the_envelopes_own_address_can_end_mail(
    opened, status, kind, purpose, state, recipient, dead
):
    token = a_token("T-1", EMMA, purpose=purpose, state=state)
    bounce = a_bounce(kind, recipient).model_copy(update={"status": status})
    daemon = "mailer-daemon@x.example"

    assert opened.receive(a_mail(token=token, bounce=bounce, from_addr=daemon)) == [
        "delivery-noted"
    ]
    noted = opened.last(DeliveryNoted)
    assert (noted.dead, noted.outcome) == (dead, "deferred" if kind == "delayed" else "bounced")


@pytest.mark.parametrize(
    ("kind", "reply", "dead"),
    [
        (MailFailed, "550 5.1.1 nobody", True),
        (MailFailed, "554 5.7.1 refused", False),
        (MailFailed, "not sent: the address is dead since 2026-11-20: 5.1.1 nobody", False),
        (MailDeferred, "450 4.1.1 nobody", False),
    ],
)
def test_the_relays_own_refusal_counts_as_a_report_does(opened, kind, reply, dead):
    more = {"next_try_at": NOON} if kind is MailDeferred else {}
    news = kind(
        outgoing_id="o",
        ticket_id="T-1",
        kind="reply",
        recipient=EMMA,
        message_id="x@desk.example",
        at=NOON,
        reply=reply,
        **more,
    )

    story = decide_delivery(opened.ticket(), news, Facts(NOON, a_desk(), "digest"))

    assert [event.dead for event in story.events] == [dead]
