"""What each event of a ticket changes in the read model."""

from datetime import timedelta

from services.reports.domain.rows import TicketRow, WorkRow
from services.reports.projections import project
from shared.contracts import ticket as events
from tests.ticket_history import History, at


def projected(history: History) -> tuple[TicketRow, list[WorkRow]]:
    row, work = None, []
    for event in history.events:
        result = project(row, event)
        row = result.row
        work += result.work
    assert row is not None
    return row, work


def clock(
    target: str, state: str, ended: str, *, left_s: int, goal_s: int = 3600
) -> dict[str, object]:
    return {
        "target": target,
        "cycle": 1,
        "state": state,
        "goal_s": goal_s,
        "started_at": at("2026-11-20 09:00"),
        "left_s": left_s,
        "as_of": at(ended),
    }


def test_a_row_has_what_the_tickets_state_says() -> None:
    history = History(category="fault")
    history.assigned("2026-11-20 09:01", "ana@x.example")
    history.agent_answers("2026-11-20 10:00")

    row, _ = projected(history)

    assert (row.seq, row.category, row.assignee, row.messages) == (3, "fault", "ana@x.example", 1)
    assert row.first_response_at == at("2026-11-20 10:00")


def test_answers_notes_and_resolutions_of_agents_are_their_work() -> None:
    history = History()
    history.customer_writes("2026-11-20 09:00")
    history.agent_answers("2026-11-20 10:00", accepted_at=at("2026-11-20 09:58"))
    history.message("2026-11-20 10:05", author="agent:ben@x.example", direction="in", kind="note")
    history.message("2026-11-20 10:06", author="system:desk", direction="out")
    history.resolved("2026-11-20 11:00")

    _, work = projected(history)

    assert [(one.id, one.agent, one.kind, one.at) for one in work] == [
        ("T-1.3", "ana@x.example", "answer", at("2026-11-20 09:58")),
        ("T-1.4", "ben@x.example", "note", at("2026-11-20 10:05")),
        ("T-1.6", "ana@x.example", "resolution", at("2026-11-20 11:00")),
    ]


def test_time_is_split_into_open_and_waiting_and_none_counts_when_resolved() -> None:
    history = History("2026-11-20 09:00")
    history.status("2026-11-20 10:00", "pending")
    history.status("2026-11-20 14:00", "open")
    history.resolved("2026-11-20 14:30")
    history.closed("2026-11-27 09:00")

    row, _ = projected(history)

    assert (row.open_s, row.waiting_s) == (90 * 60, 4 * 3600)
    assert [one.open_s for one in row.resolutions] == [90 * 60]


def test_each_resolution_counts_from_its_own_beginning() -> None:
    history = History("2026-11-20 09:00")
    history.resolved("2026-11-20 10:00")
    history.reopened("2026-12-01 09:00")
    history.resolved("2026-12-01 11:00", agent="ben@x.example")

    row, _ = projected(history)

    first, second = row.resolutions
    assert (first.since, first.at, first.open_s) == (
        at("2026-11-20 09:00"),
        at("2026-11-20 10:00"),
        3600,
    )
    assert (second.since, second.at, second.open_s) == (
        at("2026-12-01 09:00"),
        at("2026-12-01 11:00"),
        7200,
    )
    assert second.agent == "ben@x.example"
    assert row.reopenings == (at("2026-12-01 09:00"),)


def test_a_target_is_met_when_its_clock_says_so() -> None:
    history = History()
    told = {"clocks": [clock("first-response", "met", "2026-11-20 09:30", left_s=1800)]}
    history.happens(events.ClocksUpdated, "2026-11-20 09:31", state=told)

    (target,) = projected(history)[0].targets

    assert (target.ended_at, target.used_s, target.breached_at) == (
        at("2026-11-20 09:30"),
        1800,
        None,
    )


def test_a_breach_stays_one_whatever_the_clock_says_later() -> None:
    history = History()
    due_at = at("2026-11-20 10:00")
    history.happens(
        events.SLABreached, "2026-11-20 10:01", target="first-response", cycle=1, due_at=due_at
    )
    for state in ("missed", "cancelled"):
        told = {"clocks": [clock("first-response", state, "2026-11-20 12:00", left_s=-7200)]}
        history.happens(events.ClocksUpdated, "2026-11-20 12:01", state=told)

    (target,) = projected(history)[0].targets

    assert target.breached_at == due_at


def test_a_cancelled_target_is_neither_met_nor_missed() -> None:
    history = History()
    for state in ("running", "cancelled"):
        told = {"clocks": [clock("first-response", state, "2026-11-20 10:00", left_s=0)]}
        history.happens(events.ClocksUpdated, "2026-11-20 10:00", state=told)

    assert projected(history)[0].targets == ()


def test_a_rating_belongs_to_who_resolved_and_a_later_one_replaces_it() -> None:
    history = History()
    history.resolved("2026-11-20 10:00", agent="ben@x.example")
    for score, when in ((2, "2026-11-21 10:00"), (5, "2026-11-22 10:00")):
        survey = {"score": score, "comment": "fine"}
        history.happens(events.SurveyAnswered, when, survey=survey, by="customer:emma@x.example")

    (rating,) = projected(history)[0].ratings

    assert (rating.score, rating.agent, rating.at) == (5, "ben@x.example", at("2026-11-22 10:00"))


def test_an_event_that_was_seen_changes_nothing() -> None:
    history = History()
    history.agent_answers("2026-11-20 10:00")
    row, _ = projected(history)

    again = project(row, history.events[1])

    assert again.row is row
    assert again.work == ()


def test_the_same_events_give_the_same_rows() -> None:
    history = History()
    history.status("2026-11-20 10:00", "pending")
    history.resolved("2026-11-20 11:00")
    history.reopened("2026-11-20 12:00")

    assert projected(history) == projected(history)


def test_a_clock_that_runs_backwards_takes_no_time_away() -> None:
    history = History("2026-11-20 09:00")
    history.status("2026-11-20 10:00", "pending")
    history.status("2026-11-20 09:30", "open")

    row, _ = projected(history)

    assert (row.open_s, row.waiting_s) == (3600, 0)
    assert row.status_since == at("2026-11-20 09:30") + timedelta(minutes=30)
