"""``sla-events``: what the clocks say. tickets decides what follows from it."""

from typing import Literal

from pydantic import AwareDatetime, Field

from shared.contracts.base import Contract, Event, TicketId

Target = Literal["first-response", "next-response", "resolution"]


class Clock(Contract):
    """One target of a ticket. ``due_at`` is empty while the clock is paused or when it is over.

    ``left_s`` is business time left at ``as_of`` (negative after the due time). ``rule`` says why
    the policy is this one; ``calendar`` is the configured calendar that counts, its hours in
    ``timezone`` where that is given; no calendar: all time counts. ``stretches`` are the times in
    which it ran, of very many the latest; ``said`` is the goal where it is in days.
    """

    target: Target
    cycle: int = Field(ge=1)
    state: Literal["running", "paused", "met", "missed", "cancelled"]
    policy: str = Field(default="", max_length=100)
    goal_s: int = Field(ge=0)
    started_at: AwareDatetime
    due_at: AwareDatetime | None = None
    warn_at: AwareDatetime | None = None
    left_s: int = 0
    as_of: AwareDatetime
    rule: str = Field(default="", max_length=400)
    calendar: str = Field(default="", max_length=100)
    timezone: str = Field(default="", max_length=50)
    said: str = Field(default="", max_length=50)
    stretches: list[tuple[AwareDatetime, AwareDatetime | None]] = Field(
        default_factory=list, max_length=20
    )


class _ClockEvent(Event):
    ticket_id: TicketId
    version: Literal[1] = 1


class ClocksChanged(_ClockEvent):
    """The ticket's clocks were started, paused, resumed, stopped or recomputed; all are listed.

    ``ticket_seq`` is the ticket event that they follow from; a reader keeps the highest.
    """

    type: Literal["sla.clocks-changed"] = "sla.clocks-changed"
    ticket_seq: int
    clocks: list[Clock] = Field(max_length=20)


class ClockWarned(_ClockEvent):
    """The amber point of a running clock was reached."""

    type: Literal["sla.clock-warned"] = "sla.clock-warned"
    target: Target
    cycle: int
    due_at: AwareDatetime
    warned_at: AwareDatetime
    warn_at: AwareDatetime | None = None  # the amber point itself


class ClockRanOut(_ClockEvent):
    """A running clock passed its due time; whether that is a breach, tickets says.

    ``fired_at`` is later than ``due_at`` by the time that sla was away. ``again`` counts earlier
    ends of the clock that were none, because it had been stopped before.
    """

    type: Literal["sla.clock-ran-out"] = "sla.clock-ran-out"
    target: Target
    cycle: int
    policy: str = Field(default="", max_length=100)
    due_at: AwareDatetime
    fired_at: AwareDatetime
    again: int = Field(default=0, ge=0)


class ClockStepReached(_ClockEvent):
    """A running clock reached a step of its policy's ladder at ``reached_at``.

    Whether anything is done, tickets says: an answer accepted by then ends the ladder.
    """

    type: Literal["sla.step-reached"] = "sla.step-reached"
    target: Target
    cycle: int
    step: str = Field(max_length=40)
    policy: str = Field(max_length=100)
    due_at: AwareDatetime
    reached_at: AwareDatetime
    fired_at: AwareDatetime


class DelayEnded(_ClockEvent):
    """The date that a ticket was delayed until has come; ``fired_at`` is when sla saw it."""

    type: Literal["sla.delay-ended"] = "sla.delay-ended"
    until: AwareDatetime
    fired_at: AwareDatetime


RECORDS = (ClocksChanged, ClockWarned, ClockRanOut, ClockStepReached, DelayEnded)
