"""What would have been late under other policies: a ticket's past, replayed as the service does it.

Nothing here decides anew: clocks are followed and fired by the functions that run live. Pure.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from services.sla.domain.case import IRRELEVANT, Case, follow, traits_of
from services.sla.domain.clock import TicketClock, fired
from services.sla.domain.policy import Terms, Traits
from shared.contracts.sla import ClockRanOut, Target
from shared.contracts.ticket import TicketEvent
from shared.contracts.ticket_state import TicketState

ClockName = tuple[Target, int]


@dataclass(frozen=True)
class Breach:
    """A clock that was missed, with team and priority as they were then."""

    ticket_id: str
    target: Target
    cycle: int
    due_at: datetime
    team: str
    priority: str


def breaches(
    history: Iterable[TicketEvent], terms_of: Callable[[Traits], Terms | None], until: datetime
) -> list[Breach]:
    """All breaches of one ticket up to then, in the order of their due times.

    An answer that was accepted in time makes a breach none, however late its event is.
    """
    case: Case | None = None
    state: TicketState | None = None
    found: dict[ClockName, Breach] = {}
    for event in history:
        if event.at > until:
            break
        if case and state:
            case = _fire(case, state, event.at, found)
        state = event.state
        if isinstance(event, IRRELEVANT):
            continue
        case = follow(case, event, terms_of(traits_of(event)))
        _settle(case, state, found)
    if case and state:
        _fire(case, state, until, found)
    return sorted(found.values(), key=lambda breach: breach.due_at)


def _fire(case: Case, state: TicketState, now: datetime, found: dict[ClockName, Breach]) -> Case:
    clocks = []
    for clock in case.clocks:
        after, told = fired(clock, now)
        clocks.append(after)
        for news in told:
            if isinstance(news, ClockRanOut):
                found[clock.target, clock.cycle] = _breach(clock, news.due_at, state)
    return replace(case, clocks=tuple(clocks))


def _settle(case: Case, state: TicketState, found: dict[ClockName, Breach]) -> None:
    """Add what was answered too late before it fired; drop what was answered in time after."""
    for clock in case.clocks:
        name = (clock.target, clock.cycle)
        if clock.state == "missed" and clock.due_at and name not in found:
            found[name] = _breach(clock, clock.due_at, state)
        is_met = clock.state == "met" and clock.ended_at is not None
        if is_met and name in found and clock.ended_at <= found[name].due_at:  # type: ignore[operator]
            del found[name]
        if clock.is_open and not clock.ran_out:
            found.pop(name, None)  # it had been stopped before it fell due


def _breach(clock: TicketClock, due_at: datetime, state: TicketState) -> Breach:
    return Breach(
        ticket_id=clock.ticket_id,
        target=clock.target,
        cycle=clock.cycle,
        due_at=due_at,
        team=state.team,
        priority=state.priority,
    )
