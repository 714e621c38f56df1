from collections import Counter

import pytest

from services.notify.domain.planning import Planned, after_quiet_hours
from shared.config.mailing import Notices
from shared.config.people import Agent
from shared.contracts import ticket as events
from tests.ticket_history import History, at
from tests.unit.notify.cases import (
    ANA,
    BEN,
    EMMA,
    LENA,
    MARTA,
    SUPPORT,
    a_desk,
    history,
    planned_by,
)


def customer_writes(told: History, when: str, **more: object) -> None:
    told.customer_writes(when, from_addr=EMMA, from_name="Emma Brand", reply_text="Hello", **more)


def the_ordinary_case() -> History:
    """Opened, assigned, answered, answered back, answered, resolved with survey, reopened."""
    told = history()
    customer_writes(told, "2026-11-20 09:00", event={"acknowledge": True})
    told.assigned("2026-11-20 09:00", ANA)
    told.agent_answers("2026-11-20 09:10", ANA, reply_text="Try this.")
    customer_writes(told, "2026-11-20 09:20", event={"acknowledge": True})
    told.agent_answers("2026-11-20 09:30", ANA, reply_text="Then that.")
    told.agent_answers(
        "2026-11-20 09:40",
        ANA,
        reply_text="Solved.",
        event={"resolves": True, "survey_asked": True},
    )
    told.resolved("2026-11-20 09:40", ANA, answered=True, survey_asked=True)
    customer_writes(told, "2026-11-20 09:50")
    told.reopened("2026-11-20 09:50")
    return told


def kinds_for(recipient: str, told: History) -> list[str]:
    return [mail.kind for _, mail in planned_by(told) if mail.recipient == recipient]


def test_the_ordinary_case_costs_the_customer_four_mails_and_the_agent_three() -> None:
    told = the_ordinary_case()

    counts = Counter(mail.recipient for _, mail in planned_by(told))

    assert counts == {EMMA: 4, ANA: 3}
    assert kinds_for(EMMA, told) == ["acknowledgement", "reply", "reply", "resolution"]


def test_a_resolution_told_in_an_answer_is_one_mail() -> None:
    told = history()
    told.agent_answers("2026-11-20 09:10", ANA, reply_text="Done.", event={"resolves": True})
    told.resolved("2026-11-20 09:10", ANA, answered=True)

    assert kinds_for(EMMA, told) == ["resolution"]


@pytest.mark.parametrize(("summary", "mail_class"), [("", "resolution"), ("Repaired.", "answer")])
def test_a_resolution_in_an_agents_own_words_is_no_automatic_mail(
    summary: str, mail_class: str
) -> None:
    told = history()
    told.resolved("2026-11-20 09:10", ANA, summary=summary)

    assert [mail.mail_class for _, mail in planned_by(told)] == [mail_class]


@pytest.mark.parametrize("reason", ["take", "reply", "release"])
def test_nobody_is_told_of_an_assignment_they_made_themselves(reason: str) -> None:
    told = history()
    told.assigned("2026-11-20 09:00", ANA, reason)

    assert planned_by(told) == []


def test_nobody_is_told_of_their_own_note() -> None:
    told = history(assignee=ANA)
    for author in (ANA, BEN):
        told.message("2026-11-20 09:10", author=f"agent:{author}", direction="in", kind="note")

    assert [(event.by, mail.recipient) for event, mail in planned_by(told)] == [
        (f"agent:{BEN}", ANA)
    ]


def test_who_is_named_in_a_note_is_told_and_the_assignee_once() -> None:
    told = history(assignee=ANA, followers=["jo@elsewhere.example"])
    for named in ([BEN, MARTA, BEN], [ANA]):
        a_note_of(told, LENA, mentioned=named)

    mails = [(mail.kind, mail.reason, mail.recipient) for _, mail in planned_by(told)]
    assert mails == [
        ("notice", "mentioned", BEN),
        ("notice", "mentioned", MARTA),
        ("notice", "note", ANA),
        ("notice", "mentioned", ANA),
    ]


def test_a_note_tells_neither_its_author_nor_anybody_outside_the_desk() -> None:
    told = history(followers=["jo@elsewhere.example"])
    a_note_of(told, BEN, mentioned=[BEN, EMMA, "jo@elsewhere.example", "left@desk-team.example"])

    assert planned_by(told) == []


def test_who_is_named_in_a_note_waits_for_company_once_they_have_been_told() -> None:
    told = history()
    for _ in range(2):
        a_note_of(told, BEN, mentioned=[ANA])

    first, second = (mail for _, mail in planned_by(told))
    notices = a_desk().notices
    assert (first.collects, first.wait_s, first.until_clocks) == (True, notices.hold, True)
    assert (second.collects, second.wait_s, second.until_clocks) == (True, notices.bundle, False)


def a_note_of(told: History, agent: str, *, mentioned: list[str]) -> None:
    event = {"mentioned": mentioned}
    author = f"agent:{agent}"
    told.message("2026-11-20 09:10", author=author, direction="out", kind="note", event=event)


def test_an_acknowledgement_goes_out_once_for_a_ticket_and_sender() -> None:
    told = history()
    for minute in range(5):
        customer_writes(told, f"2026-11-20 09:0{minute}", event={"acknowledge": True})

    assert kinds_for(EMMA, told) == ["acknowledgement"]


@pytest.mark.parametrize(
    "message",
    [
        {"answerable": False},
        {"unverified": True},
        {"from_addr": SUPPORT},
        {"from_addr": ANA},
        {"from_addr": ""},
    ],
)
def test_no_acknowledgement_to_machines_strangers_and_our_own(message: dict[str, object]) -> None:
    told = history()
    fields = {"from_addr": EMMA, **message}
    told.customer_writes("2026-11-20 09:00", event={"acknowledge": True}, **fields)

    assert [mail for _, mail in planned_by(told) if mail.kind == "acknowledgement"] == []


def test_a_held_mail_is_told_to_the_desk_alone() -> None:
    told = history(assignee=ANA)
    message = {
        "number": 2,
        "kind": "public",
        "direction": "in",
        "author": f"customer:{EMMA}",
        "from_addr": EMMA,
        "unverified": True,
        "at": at("2026-11-20 09:10"),
        "accepted_at": at("2026-11-20 09:10"),
    }
    told.happens(
        events.MailHeld, "2026-11-20 09:10", by=f"customer:{EMMA}", message=message, reason="forged"
    )

    assert [(mail.kind, mail.recipient) for _, mail in planned_by(told)] == [("held", ANA)]


def test_an_agent_is_told_of_a_mail_held_that_was_sent_in_their_name() -> None:
    told = history(assignee=ANA)
    message = {"number": 2, "kind": "public", "direction": "in", "author": f"customer:{ANA}",
               "unverified": True, "at": at("2026-11-20 09:10"), "accepted_at": at("2026-11-20 09:10")}  # fmt: skip
    told.happens(
        events.MailHeld, "2026-11-20 09:10", by=f"customer:{ANA}", message=message, reason="forged"
    )

    assert [(mail.kind, mail.recipient) for _, mail in planned_by(told)] == [("held", ANA)]


def test_without_an_assignee_the_first_of_the_team_is_told() -> None:
    told = history()
    customer_writes(told, "2026-11-20 09:00")
    customer_writes(told, "2026-11-20 09:01")

    assert [mail.recipient for _, mail in planned_by(told)] == [ANA]


def test_followers_get_the_answers_and_the_author_of_none_is_told() -> None:
    told = history(followers=["jo@elsewhere.example", EMMA])
    told.agent_answers("2026-11-20 09:10", ANA, reply_text="Hello")

    assert [mail.recipient for _, mail in planned_by(told)] == [EMMA, "jo@elsewhere.example"]


def test_an_escalation_is_told_to_those_called_in() -> None:
    told = history(assignee=ANA)
    told.happens(
        events.TicketEscalated, "2026-11-20 10:00", by="system:sla", reason="late", to=[MARTA]
    )

    assert [(mail.kind, mail.recipient) for _, mail in planned_by(told)] == [("escalation", MARTA)]


@pytest.mark.parametrize(("recipient", "told_to"), [(EMMA, [ANA]), (ANA, [])])
def test_a_failed_mail_is_told_but_never_to_the_address_that_failed(
    recipient: str, told_to: list[str]
) -> None:
    told = history(assignee=ANA)
    told.happens(
        events.DeliveryNoted,
        "2026-11-20 10:00",
        by="system:notify",
        outcome="bounced",
        recipient=recipient,
        message_id="x@desk.example",
    )

    assert [mail.recipient for _, mail in planned_by(told)] == told_to


def test_the_first_notice_waits_for_the_clocks_and_later_ones_for_company() -> None:
    told = history()
    told.assigned("2026-11-20 09:00", ANA)
    customer_writes(told, "2026-11-20 09:01")
    customer_writes(told, "2026-11-20 09:02")

    notices = a_desk().notices
    assert [mail for _, mail in planned_by(told)] == [
        Planned(
            "notice",
            "notice",
            "assigned",
            ANA,
            wait_s=notices.hold,
            collects=True,
            until_clocks=True,
        ),
        Planned("notice", "notice", "customer-answered", ANA, wait_s=notices.bundle, collects=True),
    ]


@pytest.mark.parametrize(
    "kind", [events.SurveyAnswered, events.ClocksUpdated, events.ContactLinked, events.TicketClosed]
)
def test_silence_where_nobody_needs_a_mail(kind: type[events.TicketEvent]) -> None:
    told = history(assignee=ANA)
    more = {"survey": {"score": 5}} if kind is events.SurveyAnswered else {}
    told.happens(kind, "2026-11-20 10:00", by="system:sla", **more)

    assert planned_by(told) == []


def escalated_at_night(step: str, *, urgent: bool) -> tuple[bool, str]:
    told = history()
    fields = {"to": [MARTA], "reason": "late", "step": step, "urgent": urgent}
    told.happens(events.TicketEscalated, "2026-11-20 23:30", by="system:sla", **fields)
    (mail,) = [mail for _, mail in planned_by(told) if mail.recipient == MARTA]
    return mail.keeps_quiet, mail.reason


@pytest.mark.feature("S05")
@pytest.mark.parametrize(
    ("step", "urgent", "quiet"),
    [("breach", False, True), ("night", True, False), ("", False, False)],
)
def test_the_ladder_keeps_quiet_at_night_unless_the_step_says_so_and_people_never_wait(
    step: str, urgent: bool, quiet: bool
) -> None:
    assert escalated_at_night(step, urgent=urgent) == (quiet, "escalated")


@pytest.mark.parametrize(
    ("quiet", "now", "then"),
    [
        (("20:00", "07:00"), "2026-11-20 20:30", "2026-11-21 06:00"),  # 21:30 in Berlin
        (("20:00", "07:00"), "2026-11-21 03:00", "2026-11-21 06:00"),
        (("20:00", "07:00"), "2026-11-21 06:00", "2026-11-21 06:00"),
        (("12:00", "13:00"), "2026-11-20 11:30", "2026-11-20 12:00"),
        (("12:00", "13:00"), "2026-11-20 12:00", "2026-11-20 12:00"),
        (("20:00", "07:00"), "2027-03-27 23:00", "2027-03-28 05:00"),  # the short night
    ],
)
def test_quiet_hours_are_those_of_the_readers_own_zone(
    quiet: tuple[str, str], now: str, then: str
) -> None:
    agent = {"address": ANA, "name": "Ana", "timezone": "Europe/Berlin"}
    changed = {"agents": [Agent.model_validate(agent)], "notices": Notices(quiet=quiet)}
    desk = a_desk().model_copy(update=changed)

    assert after_quiet_hours(at(now), ANA, desk) == at(then)


@pytest.mark.feature("S06")
def test_who_was_told_of_a_breach_is_told_that_it_was_none() -> None:
    told = history()
    told.assigned("2026-11-20 09:00", ANA)
    breach = {"target": "first-response", "cycle": 1, "due_at": at("2026-11-20 10:00")}
    told.happens(events.SLABreached, "2026-11-20 10:00", by="system:sla", **breach)
    told.happens(events.TicketEscalated, "2026-11-20 10:00", by="system:sla", to=[MARTA], reason="")
    answered = {"answered_at": at("2026-11-20 09:59")}
    told.happens(
        events.SLABreachWithdrawn, "2026-11-20 10:10", by="system:sla", **breach, **answered
    )

    reasons = [(mail.recipient, mail.reason) for _, mail in planned_by(told)]

    assert (ANA, "breach-withdrawn") in reasons
    assert (MARTA, "breach-withdrawn") in reasons
