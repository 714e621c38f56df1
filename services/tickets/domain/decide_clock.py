"""What follows from sla's news: a clock that ran out is a breach only if no answer was in time."""

from datetime import datetime

from services.tickets.domain import ladder
from services.tickets.domain.facts import Facts
from services.tickets.domain.ladder import Rung
from services.tickets.domain.rerouting import reroute
from services.tickets.domain.story import Story
from services.tickets.domain.ticket import Ticket
from shared.contracts import ticket as contract
from shared.contracts.sla import (
    Clock,
    ClockRanOut,
    ClocksChanged,
    ClockStepReached,
    ClockWarned,
    DelayEnded,
)

News = ClocksChanged | ClockWarned | ClockRanOut | ClockStepReached | DelayEnded


def decide_clock(ticket: Ticket, news: News, facts: Facts) -> Story:
    """Say what follows; nothing where the news is older than what the ticket knows."""
    story = Story(ticket, facts, "system:sla")
    match news:
        case ClocksChanged():
            _update(story, news)
        case ClockWarned():
            _warn(story, news)
        case ClockRanOut():
            _run_out(story, news)
        case ClockStepReached():
            _climb(story, news)
        case DelayEnded():
            _return(story, news)
    return story


def _update(story: Story, news: ClocksChanged) -> None:
    if news.ticket_seq < story.ticket.clocks_seq or news.clocks == story.state.clocks:
        return
    changes = {"clocks": news.clocks}
    story.tell(contract.ClocksUpdated, changes=changes, ticket_seq=news.ticket_seq)
    for clock in news.clocks:
        _withdraw(story, clock)


def _withdraw(story: Story, clock: Clock) -> None:
    """A mail that was read after the clock ran out may have been accepted before."""
    due_at = story.ticket.breached.get(f"{clock.target}.{clock.cycle}")
    stopped_at = _stopped_before(clock, due_at) if due_at else None
    if stopped_at:
        story.tell(
            contract.SLABreachWithdrawn,
            target=clock.target,
            cycle=clock.cycle,
            due_at=due_at,
            answered_at=stopped_at,
        )


def _stopped_before(clock: Clock, due_at: datetime) -> datetime | None:
    """Since when the clock was met or stood still at that time; None where it ran."""
    if clock.state == "met" and clock.as_of <= due_at:
        return clock.as_of
    if clock.state in ("missed", "cancelled"):
        return None
    before = [end for start, end in clock.stretches if start < due_at]
    end = before[-1] if before else None
    return end if end and end < due_at else None


def _warn(story: Story, news: ClockWarned) -> None:
    ticket = story.ticket
    if not _is_answered(ticket, news.target, news.cycle, news.due_at) and not ticket.is_done:
        story.tell(contract.SLAWarned, target=news.target, cycle=news.cycle, due_at=news.due_at)


def _run_out(story: Story, news: ClockRanOut) -> None:
    ticket = story.ticket
    told = f"{news.target}.{news.cycle}" in ticket.breached
    if told or _is_answered(ticket, news.target, news.cycle, news.due_at):
        return
    story.tell(contract.SLABreached, target=news.target, cycle=news.cycle, due_at=news.due_at)
    rung = Rung(news.target, news.cycle, news.due_at)
    for step in ladder.steps_of(news.policy, story.facts.desk):
        if step.late == 0 and news.target in step.targets:
            ladder.climb(story, step, rung)


def _climb(story: Story, news: ClockStepReached) -> None:
    ticket = story.ticket
    if ticket.is_done or _is_answered(ticket, news.target, news.cycle, news.reached_at):
        return
    for step in ladder.steps_of(news.policy, story.facts.desk):
        if step.name == news.step:
            ladder.climb(story, step, Rung(news.target, news.cycle, news.due_at))


def _return(story: Story, news: DelayEnded) -> None:
    """Only the delay that is still agreed on ends: another date may have been set meanwhile."""
    state = story.state
    if state.delayed_until != news.until:
        return
    reroute(story)
    story.tell(contract.TicketReturned, until=news.until)
    if state.status == "on-hold":
        story.tell(contract.StatusChanged, status="open", previous=state.status)


def _is_answered(ticket: Ticket, target: str, cycle: int, by: datetime) -> bool:
    """Whether SMTP had accepted a fitting answer by then."""
    state = ticket.state
    match target:
        case "first-response":
            return state.first_response_at is not None and state.first_response_at <= by
        case "resolution":
            return state.resolved_at is not None and state.resolved_at <= by
        case _:
            clock = _clock(ticket, target, cycle)
            since = clock.started_at if clock else state.opened_at
            return any(since <= at <= by for at in ticket.reply_times)


def _clock(ticket: Ticket, target: str, cycle: int) -> Clock | None:
    clocks = ticket.state.clocks
    return next((c for c in clocks if c.target == target and c.cycle == cycle), None)
