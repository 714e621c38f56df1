"""The mails to people in copy: what they get, what stays from before, and whom nobody may see."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notify.domain.limits import caps
from services.notify.stationery import Letter
from shared.addresses import fingerprint
from shared.contracts import ticket as events
from tests.ticket_history import History
from tests.unit.notify.cases import (
    ANA,
    BOOK,
    EMMA,
    a_desk,
    a_notice,
    an_answer,
    field,
    history,
    html_of,
    planned_by,
    text_of,
)

BOB, ANNA, CARL = "bob@y.example", "anna@x.example", "carl@z.example"
EARLIER = "SECRET-WORDS-FROM-BEFORE"


def a_case(**state: object) -> History:
    """A conversation with a note and a file, from before anybody was in copy."""
    told = history(assignee=ANA)
    file = {"name": f"{EARLIER}.pdf", "content_type": "a/b", "size_bytes": 9, "blob": "T-1/1"}
    told.customer_writes(
        "2026-11-20 09:00",
        from_addr=EMMA,
        reply_text=EARLIER,
        message_id="first@harbour.example",
        attachments=[file],
    )
    told.message("2026-11-20 09:05", author=f"agent:{ANA}", direction="out", kind="note",
                 reply_text=f"{EARLIER} note")  # fmt: skip
    told.agent_answers("2026-11-20 09:10", ANA, reply_text=f"{EARLIER} answer")
    if state:
        _follow(told, **state)
    return told


def _follow(told: History, **state: object) -> None:
    added = {
        "added": state.get("followers", []),
        "blind": state.get("blind_followers", []),
        "removed": state.pop("removed", []),
    }
    told.happens(
        events.FollowersChanged, "2026-11-20 09:20", by=f"agent:{ANA}", state=state, **added
    )


def an_answer_to(recipient: str, told: History, kind: str = "reply") -> Letter:
    return an_answer(told, kind=kind, recipient=recipient)


def words_of(letter: Letter) -> str:
    """All that is in the mail, decoded and as it is on the wire."""
    return letter.raw.decode() + text_of(letter) + html_of(letter) + letter.envelope_from


def test_everybody_in_copy_gets_answers_and_resolutions_and_never_an_acknowledgement() -> None:
    told = a_case(followers=[BOB], blind_followers=[CARL])
    told.customer_writes("2026-11-20 09:30", from_addr=BOB, event={"acknowledge": False})
    told.agent_answers("2026-11-20 09:40", ANA, reply_text="Hello")
    told.resolved("2026-11-20 09:50", ANA, survey_asked=True)

    mails = [(mail.kind, mail.recipient) for event, mail in planned_by(told) if event.seq > 5]

    to_customers = [one for one in mails if one[1] != ANA]
    assert to_customers == [
        (kind, who) for kind in ("reply", "resolution") for who in (EMMA, BOB, CARL)
    ]


def test_who_is_taken_out_gets_nothing_more() -> None:
    told = a_case(followers=[BOB])
    _follow(told, followers=[], removed=[BOB])
    told.agent_answers("2026-11-20 09:40", ANA, reply_text="Hello")

    assert BOB not in [mail.recipient for _, mail in planned_by(told)]


def test_a_change_of_copies_alone_sends_nothing() -> None:
    told = a_case(followers=[BOB], blind_followers=[CARL])

    assert [mail for event, mail in planned_by(told) if event is told.events[-1]] == []


def test_a_new_follower_is_shown_nothing_from_before() -> None:
    told = a_case(followers=[BOB], blind_followers=[CARL])
    told.agent_answers("2026-11-20 09:40", ANA, reply_text="From now on.")

    for who in (BOB, CARL):
        letter = an_answer_to(who, told)

        assert "From now on." in text_of(letter)
        assert EARLIER not in words_of(letter)
        assert "first@harbour.example" not in words_of(letter)
        assert field(letter, "References") == f"<{BOOK.root_id('T-1')}>"


def test_an_open_copy_is_addressed_to_the_customer_and_answered_by_an_address_of_its_own() -> None:
    told = a_case(followers=[BOB, ANNA])
    told.agent_answers("2026-11-20 09:40", ANA, reply_text="Hello")

    letter = an_answer_to(BOB, told)

    assert field(letter, "To") == f'"Emma Brand" <{EMMA}>'
    assert field(letter, "Cc") == f"{BOB}, {ANNA}"
    token = BOOK.read(field(letter, "Reply-To"), now=told.events[-1].at)
    assert token is not None
    assert (token.party, token.ticket_id) == (fingerprint(BOB), "T-1")


def test_a_blind_copy_is_addressed_to_its_reader_alone_and_says_what_it_is() -> None:
    told = a_case(followers=[BOB], blind_followers=[CARL])
    told.agent_answers("2026-11-20 09:40", ANA, reply_text="Hello")

    letter = an_answer_to(CARL, told)

    assert (field(letter, "To"), field(letter, "Cc")) == (CARL, "")
    assert "This is a blind copy" in text_of(letter)
    assert "This is a blind copy" in html_of(letter)
    assert BOB not in words_of(letter)
    assert "blind copy" not in words_of(an_answer_to(BOB, told))


@pytest.mark.parametrize("who", [BOB, CARL])
def test_only_the_customer_is_asked_for_a_rating(who: str) -> None:
    told = a_case(followers=[BOB], blind_followers=[CARL])
    told.resolved("2026-11-20 09:50", ANA, survey_asked=True)

    asked = an_answer_to(EMMA, told, "resolution")
    copied = an_answer_to(who, told, "resolution")

    assert "How did we do?" in text_of(asked)
    assert "How did we do?" not in words_of(copied)
    assert "mailto:" not in html_of(copied)


def test_automatic_mails_to_a_follower_fall_under_caps_of_their_own() -> None:
    found = caps("resolution", BOB, "T-1", a_desk())

    assert [(cap.key, cap.ticket_id) for cap in found] == [(BOB, ""), (BOB, "T-1")]


def test_an_agent_sees_who_is_in_copy_and_to_whom_an_answer_goes() -> None:
    told = a_case(followers=[BOB, ANNA], blind_followers=[CARL])

    text = text_of(a_notice(told, "note"))

    assert f"{'In copy':<16} {BOB}, {ANNA}\n" in text
    assert f"{'Blind copy':<16} {CARL}\n" in text
    assert f"your words go to {EMMA} and to 3 in copy." in text
    assert f"in copy: +{BOB}, +{ANNA}, +{CARL} (blind), by Ana" in text


def test_an_agent_sees_whom_a_sender_copied_without_being_believed() -> None:
    told = a_case(followers=[BOB])
    signed = BOOK.address(
        "support@desk.example", "reply", ticket_id="T-1", party=EMMA, number=1,
        valid_days=0, now=told.events[-1].at,
    )  # fmt: skip
    told.customer_writes(
        "2026-11-20 09:30", from_addr=EMMA, cc=[f"B <{BOB}>", f"<{ANNA}>", signed], reply_text="x"
    )

    letter = a_notice(told, "customer-answered")

    for words in (text_of(letter), html_of(letter)):
        assert words.count("Also sent to, but not in copy here") == 1
        assert f"not in copy here: {ANNA}" in words
        assert signed not in words


PEOPLE = [f"p{n}@copies.example" for n in range(6)]


@settings(max_examples=40, deadline=None)
@given(
    openly=st.lists(st.sampled_from(PEOPLE), unique=True),
    unseen=st.lists(st.sampled_from(PEOPLE), unique=True),
    is_resolution=st.booleans(),
)
def test_no_mail_names_a_blind_copy_but_its_own(
    openly: list[str], unseen: list[str], is_resolution: bool
) -> None:
    openly = [address for address in openly if address not in unseen]
    told = a_case(followers=openly, blind_followers=unseen)
    told.agent_answers("2026-11-20 09:40", ANA, reply_text="Hello")

    for who in (EMMA, *openly, *unseen):
        words = words_of(an_answer_to(who, told, "resolution" if is_resolution else "reply"))
        assert EARLIER not in words
        assert not [hidden for hidden in unseen if hidden != who and hidden in words]
