"""What would have been late: the same code as live, over a ticket's past."""

import pytest

from services.sla.domain.policy import Policies
from services.sla.domain.simulation import breaches
from shared.contracts import ticket as events
from tests.ticket_history import History, at
from tests.unit.sla.test_policies import desk, policy

STRICT = Policies(desk({"default": policy(clock="calendar")}))
LAX = Policies(
    desk(
        {
            "default": policy(
                clock="calendar",
                targets={"normal": {"first_response": "10d", "resolution": "30d"}},
            )
        }
    )
)
END = at("2026-11-30 00:00")


def late(policies: Policies, history: History, until: object = END) -> list[str]:
    found = breaches(history.events, policies.terms, until)
    return [f"{breach.target}.{breach.cycle} {breach.due_at:%d %H:%M}" for breach in found]


@pytest.mark.feature("S08")
def test_a_ticket_is_late_under_one_policy_and_not_under_another() -> None:
    history = History("2026-11-16 09:00")
    history.agent_answers("2026-11-16 14:00")
    history.resolved("2026-11-17 09:00", answered=True)

    assert late(STRICT, history) == ["first-response.1 16 13:00", "resolution.1 17 01:00"]
    assert late(LAX, history) == []


@pytest.mark.feature("S08")
def test_an_answer_accepted_in_time_is_no_breach_however_late_it_was_filed() -> None:
    history = History("2026-11-16 09:00")
    history.assigned("2026-11-16 13:05", "ana@x.example")
    history.agent_answers("2026-11-16 13:10", accepted_at=at("2026-11-16 12:59"))

    assert late(STRICT, history, at("2026-11-16 14:00")) == []


@pytest.mark.feature("S08")
def test_what_is_open_is_late_from_its_due_time_on() -> None:
    history = History("2026-11-16 09:00")

    assert late(STRICT, history, at("2026-11-16 12:59")) == []
    assert late(STRICT, history, at("2026-11-16 13:00")) == ["first-response.1 16 13:00"]


def test_a_breach_stays_one_though_the_priority_was_lowered_afterwards() -> None:
    history = History("2026-11-16 09:00")
    history.priority("2026-11-16 14:00", "low")

    assert late(STRICT, history) == ["first-response.1 16 13:00"]


@pytest.mark.feature("S08", "R01")
def test_the_policy_that_a_rule_of_routing_gave_counts() -> None:
    both = Policies(
        desk(
            {
                "default": policy(clock="calendar"),
                "gold": policy(
                    clock="calendar",
                    targets={"normal": {"first_response": "1h", "resolution": "30d"}},
                ),
            }
        )
    )
    history = History("2026-11-16 09:00", sla_policy="gold")
    history.agent_answers("2026-11-16 12:00")

    assert late(both, history, at("2026-11-17 12:00")) == ["first-response.1 16 10:00"]


@pytest.mark.feature("S08", "S03")
def test_a_mail_that_stops_the_clock_counts_from_its_acceptance() -> None:
    history = History("2026-11-16 09:00")
    history.happens(
        events.StatusChanged,
        "2026-11-16 14:00",
        status="pending",
        previous="new",
        accepted_at=at("2026-11-16 12:00"),
        state={"status": "pending"},
    )

    assert late(STRICT, history) == []
