"""What follows from sla's news: a clock that ran out is a breach only if no answer was in time."""

from datetime import datetime

from services.tickets.domain import routing
from services.tickets.domain.facts import Facts
from services.tickets.domain.story import Story
from services.tickets.domain.ticket import Ticket
from shared.contracts import ticket as contract
from shared.contracts.sla import Clock, ClockRanOut, ClocksChanged, ClockWarned

_NAMES = {
    "first-response": "First response",
    "next-response": "Answer to the customer",
    "resolution": "Resolution",
}


def decide_clock(
    ticket: Ticket, news: ClocksChanged | ClockWarned | ClockRanOut, facts: Facts
) -> Story:
    """Say what follows; nothing where the news is older than what the ticket knows."""
    story = Story(ticket, facts, "system:sla")
    match news:
        case ClocksChanged():
            _update(story, news)
        case ClockWarned():
            if (
                not _is_answered(ticket, news.target, news.cycle, news.due_at)
                and not ticket.is_done
            ):
                story.tell(
                    contract.SLAWarned, target=news.target, cycle=news.cycle, due_at=news.due_at
                )
        case ClockRanOut():
            _run_out(story, news)
    return story


def _update(story: Story, news: ClocksChanged) -> None:
    if news.ticket_seq >= story.ticket.clocks_seq and news.clocks != story.state.clocks:
        changes = {"clocks": news.clocks}
        story.tell(contract.ClocksUpdated, changes=changes, ticket_seq=news.ticket_seq)


def _run_out(story: Story, news: ClockRanOut) -> None:
    ticket = story.ticket
    told = f"{news.target}.{news.cycle}" in ticket.breached
    if told or _is_answered(ticket, news.target, news.cycle, news.due_at):
        return
    story.tell(contract.SLABreached, target=news.target, cycle=news.cycle, due_at=news.due_at)
    managers = routing.managers_of(ticket.state.team, story.facts.desk)
    if managers:
        reason = f"{_NAMES[news.target]} was due at {news.due_at:%Y-%m-%d %H:%M} UTC"
        story.tell(contract.TicketEscalated, reason=reason, to=managers)


def _is_answered(ticket: Ticket, target: str, cycle: int, due_at: datetime) -> bool:
    """Whether SMTP had accepted a fitting answer by then."""
    state = ticket.state
    match target:
        case "first-response":
            return state.first_response_at is not None and state.first_response_at <= due_at
        case "resolution":
            return state.resolved_at is not None and state.resolved_at <= due_at
        case _:
            clock = _clock(ticket, target, cycle)
            since = clock.started_at if clock else state.opened_at
            return any(since <= at <= due_at for at in ticket.reply_times)


def _clock(ticket: Ticket, target: str, cycle: int) -> Clock | None:
    clocks = ticket.state.clocks
    return next((c for c in clocks if c.target == target and c.cycle == cycle), None)
