"""A ticket's clocks from its whole history are those that its events made one by one."""

import pytest

from services.sla.domain.replay import names_told, possible_names, replayed
from shared.contracts import ticket as events
from tests.ticket_history import History, at
from tests.unit.sla.test_clocks import POLICIES, followed


def replay(history: History) -> object:
    return replayed(history.events, POLICIES.terms)


def a_long_story() -> History:
    history = History()
    history.assigned("2026-11-20 09:01", "ana@x.example")
    history.agent_answers("2026-11-20 10:00")
    history.status("2026-11-20 10:01", "pending")
    history.customer_writes("2026-11-20 11:00")
    history.status("2026-11-20 11:00", "open")
    history.priority("2026-11-20 11:30", "urgent")
    history.resolved("2026-11-20 12:00", answered=True)
    history.reopened("2026-11-20 14:00")
    return history


def test_the_whole_story_gives_the_case_that_its_steps_gave() -> None:
    history = a_long_story()

    result = replay(history)

    assert result.case == followed(history)
    assert result.changed_seq == history.events[-1].seq


def test_events_after_the_last_change_of_a_clock_are_not_named_as_one() -> None:
    history = History()
    history.agent_answers("2026-11-20 10:00")
    history.happens(
        events.FieldChanged, "2026-11-20 10:30", field="subject", value="x", previous="y"
    )
    history.assigned("2026-11-20 11:00", "ana@x.example")

    result = replay(history)

    assert (result.case.seq, result.changed_seq) == (3, 2)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (events.SLAWarned, {"T-1.resolution.1.warned"}),
        (events.SLABreached, {"T-1.resolution.1.warned", "T-1.resolution.1.ran-out"}),
    ],
)
def test_a_clock_has_told_what_the_ticket_was_told(kind: type, told: set[str]) -> None:
    history = History()
    history.happens(
        kind,
        "2026-11-24 10:00",
        by="system:sla",
        target="resolution",
        cycle=1,
        due_at=at("2026-11-24 09:00"),
    )

    case = replay(history).case

    assert names_told(case) == told
    assert told < possible_names(case)


def test_a_ticket_of_which_no_event_is_there_has_no_case() -> None:
    assert replayed([], POLICIES.terms) is None
