"""What the events of a ticket do to its clocks: office hours 09:00-17:00 UTC, Friday is the 20th."""

import pytest

from services.sla.domain import clock as clocks
from services.sla.domain.case import IRRELEVANT, Case, follow, traits_of
from services.sla.domain.policy import Customer, Policies, Traits
from shared.config.models import Desk
from shared.contracts import ticket as events
from tests.ticket_history import History, at

WEEK = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
DESK = Desk.model_validate(
    {
        "name": "Example",
        "host": "desk.example",
        "mailboxes": [{"address": "support@desk.example", "brand": "Example", "team": "support"}],
        "teams": [{"name": "support", "members": ["ana@x.example"]}],
        "agents": [{"address": "ana@x.example", "name": "Ana"}],
        "calendars": {"office": {"timezone": "UTC", "week": WEEK}},
        "sla": {
            "policies": {
                "standard": {
                    "calendar": "office",
                    "targets": {
                        "normal": {
                            "first_response": "4h",
                            "resolution": "16h",
                            "next_response": "2h",
                        },
                        "urgent": {"first_response": "1h", "resolution": "4h"},
                    },
                },
                "gold": {
                    "calendar": "office",
                    "clock": "calendar",
                    "segments": ["premium"],
                    "amber": 0.5,
                    "targets": {"normal": {"first_response": "2h", "resolution": "8h"}},
                },
            }
        },
    }
)
POLICIES = Policies(DESK)


def followed(history: History, segment: str = "", case: Case | None = None) -> Case:
    for event in history.events:
        terms = POLICIES.terms(traits_of(event), Customer(segment))
        case = follow(case, event, terms)
    assert case is not None
    return case


def clock(case: Case, target: str, cycle: int = 1) -> clocks.TicketClock:
    (found,) = [c for c in case.clocks if c.target == target and c.cycle == cycle]
    return found


def states(case: Case) -> dict[str, str]:
    return {f"{c.target} {c.cycle}": c.state for c in case.clocks}


def test_an_opened_ticket_has_a_response_and_a_resolution_clock() -> None:
    case = followed(History("2026-11-20 15:00"))

    assert states(case) == {"first-response 1": "running", "resolution 1": "running"}
    assert clock(case, "first-response").due_at == at("2026-11-23 11:00")
    assert clock(case, "first-response").warn_at == at("2026-11-23 10:00")
    assert clock(case, "resolution").due_at == at("2026-11-24 15:00")


def test_the_policy_that_names_the_segment_wins_and_may_count_all_hours() -> None:
    first = clock(followed(History("2026-11-20 23:00"), segment="premium"), "first-response")

    assert (first.policy, first.due_at) == ("gold", at("2026-11-21 01:00"))
    assert first.warn_at == at("2026-11-21 00:00")


def test_a_priority_without_targets_has_no_clocks() -> None:
    assert followed(History(priority="low")).clocks == ()


def test_the_first_answer_of_an_agent_meets_the_response_target() -> None:
    history = History()
    history.agent_answers("2026-11-20 10:00")

    assert states(followed(history)) == {"first-response 1": "met", "resolution 1": "running"}


def test_an_answer_counts_from_when_smtp_took_it_however_late_it_is_told() -> None:
    history = History()
    history.agent_answers("2026-11-20 13:30", accepted_at=at("2026-11-20 13:00"))

    assert clock(followed(history), "first-response").state == "met"


def test_an_answer_after_the_due_time_is_too_late() -> None:
    history = History()
    history.agent_answers("2026-11-20 13:01")

    assert clock(followed(history), "first-response").state == "missed"


def test_an_answer_at_night_after_a_due_time_at_closing_is_too_late() -> None:
    history = History("2026-11-20 13:00")
    history.agent_answers("2026-11-20 20:00")

    assert clock(followed(history), "first-response").state == "missed"


@pytest.mark.parametrize("mark", [{"automated": True}, {"unverified": True}, {"kind": "note"}])
def test_what_is_no_persons_public_answer_stops_nothing(mark: dict[str, object]) -> None:
    history = History()
    history.agent_answers("2026-11-20 10:00", **mark)

    assert clock(followed(history), "first-response").state == "running"


def test_a_notice_of_the_desk_itself_stops_nothing() -> None:
    history = History()
    history.message("2026-11-20 10:00", author="system:notify", direction="out")

    assert clock(followed(history), "first-response").state == "running"


def test_waiting_for_the_customer_stops_time_and_its_end_starts_it_again() -> None:
    history = History()
    history.status("2026-11-20 10:00", "pending")
    waiting = followed(history)
    history.status("2026-11-23 10:00", "open")

    case = followed(history)

    assert clock(waiting, "resolution").due_at is None
    assert clock(waiting, "resolution").next_at is None
    assert clock(case, "resolution").due_at == at("2026-11-24 17:00")


def test_time_left_is_business_time_and_stands_still_in_a_pause() -> None:
    history = History()
    history.status("2026-11-20 10:00", "on-hold")
    first = clock(followed(history), "first-response")

    told = clocks.as_told(first, at("2026-11-24 12:00"), POLICIES.measure("office", ""))

    assert (told.state, told.left_s, told.due_at) == ("paused", 3 * 3600, None)


def test_another_priority_keeps_what_was_used() -> None:
    history = History()
    history.status("2026-11-20 09:30", "pending")
    history.status("2026-11-20 12:00", "open")
    history.priority("2026-11-20 12:10", "urgent")

    case = followed(history)

    assert clock(case, "first-response").due_at == at("2026-11-20 12:30")
    assert clock(case, "resolution").due_at == at("2026-11-20 15:30")


def test_a_shorter_target_may_have_run_out_already_and_says_when() -> None:
    history = History()
    history.priority("2026-11-20 11:00", "urgent")

    first = clock(followed(history), "first-response")

    assert first.due_at == at("2026-11-20 10:00")


def test_resolution_ends_the_clocks_and_words_to_the_customer_are_an_answer() -> None:
    history = History()
    history.resolved("2026-11-20 12:00", summary="It was the router.")

    assert states(followed(history)) == {"first-response 1": "met", "resolution 1": "met"}


def test_a_silent_resolution_is_no_response() -> None:
    history = History()
    history.resolved("2026-11-20 12:00")

    assert states(followed(history)) == {"first-response 1": "cancelled", "resolution 1": "met"}


def test_closing_ends_what_is_left() -> None:
    history = History()
    history.closed("2026-11-25 12:00")

    assert states(followed(history)) == {"first-response 1": "cancelled", "resolution 1": "missed"}


def test_a_customer_who_writes_again_is_owed_a_next_response() -> None:
    history = History()
    history.agent_answers("2026-11-20 10:00")
    history.customer_writes("2026-11-20 11:00", number=3)
    history.customer_writes("2026-11-20 12:00", number=4)
    asked = followed(history)
    history.agent_answers("2026-11-20 12:30")

    assert clock(asked, "next-response").due_at == at("2026-11-20 13:00")
    assert states(followed(history))["next-response 1"] == "met"


def test_before_the_first_answer_further_mails_of_the_customer_start_nothing() -> None:
    history = History()
    history.customer_writes("2026-11-20 09:00")
    history.customer_writes("2026-11-20 09:30")

    assert set(states(followed(history))) == {"first-response 1", "resolution 1"}


def test_a_vacation_note_of_the_customer_starts_nothing() -> None:
    history = History()
    history.agent_answers("2026-11-20 10:00")
    history.customer_writes("2026-11-20 10:01", number=3, automated=True)

    assert "next-response 1" not in states(followed(history))


def test_reopening_starts_new_cycles_from_the_customers_mail() -> None:
    history = History()
    history.resolved("2026-11-20 10:00", answered=True)
    history.customer_writes("2026-11-23 10:00", number=4)
    history.reopened("2026-11-23 10:05")

    case = followed(history)

    assert states(case)["resolution 1"] == "met"
    assert clock(case, "resolution", 2).due_at == at("2026-11-25 10:00")
    assert clock(case, "next-response").due_at == at("2026-11-23 12:00")


def test_thanks_after_a_resolution_start_nothing() -> None:
    history = History()
    history.resolved("2026-11-20 10:00", answered=True)
    history.customer_writes("2026-11-20 10:10", number=3)

    assert not any(c.is_open for c in followed(history).clocks)


def test_the_same_event_again_changes_nothing() -> None:
    history = History()
    history.agent_answers("2026-11-20 10:00")
    case = followed(history)

    assert followed(history, case=case) is case


def test_events_that_no_clock_depends_on_are_known_by_kind() -> None:
    relevant = set(events.RECORDS) - set(IRRELEVANT)

    assert {kind.__name__ for kind in relevant} == {
        "TicketOpened",
        "MessageAdded",
        "StatusChanged",
        "TicketResolved",
        "TicketClosed",
        "TicketReopened",
        "FieldChanged",
        "TeamChanged",
        "ContactLinked",
        "TicketDelayed",
        "TicketReturned",
    }


def test_a_clock_warns_then_runs_out_and_each_only_once() -> None:
    first = clock(followed(History()), "first-response")

    silent, nothing = clocks.fired(first, at("2026-11-20 11:59"))
    warned, warning = clocks.fired(silent, at("2026-11-20 12:00"))
    out, news = clocks.fired(warned, at("2026-11-20 13:00"))
    _, again = clocks.fired(out, at("2026-11-20 14:00"))

    assert nothing == []
    assert again == []
    assert [n.type for n in warning + news] == ["sla.clock-warned", "sla.clock-ran-out"]
    assert (warned.next_at, out.next_at) == (at("2026-11-20 13:00"), None)


def test_after_an_outage_both_are_told_in_order_with_the_time_that_was_due() -> None:
    first = clock(followed(History()), "first-response")

    _, news = clocks.fired(first, at("2026-11-21 08:00"))

    assert [n.type for n in news] == ["sla.clock-warned", "sla.clock-ran-out"]
    assert all(n.due_at == at("2026-11-20 13:00") for n in news)


def test_what_was_told_is_not_told_again_under_another_priority() -> None:
    history = History()
    case = followed(history)
    out, _ = clocks.fired(clock(case, "first-response"), at("2026-11-20 13:00"))
    terms = POLICIES.terms(Traits(priority="urgent"))

    refitted = clocks.refitted(out, at("2026-11-20 13:01"), terms)

    assert clocks.fired(refitted, at("2026-11-30 13:00"))[1] == []


def test_a_paused_clock_neither_warns_nor_runs_out() -> None:
    history = History()
    history.status("2026-11-20 12:30", "pending")

    _, news = clocks.fired(clock(followed(history), "first-response"), at("2026-11-30 13:00"))

    assert news == []
