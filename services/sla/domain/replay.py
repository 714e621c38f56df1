"""The clocks of a ticket from its whole history, as if every event had just been read. Pure."""

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from services.sla.domain.case import IRRELEVANT, Case, follow
from services.sla.domain.clock import TicketClock
from services.sla.domain.policy import Terms
from shared.contracts import ticket as events


@dataclass(frozen=True)
class Replayed:
    """The case after the last event, and the seq of the last one that changed a clock (or 0)."""

    case: Case
    changed_seq: int


def replayed(
    history: Iterable[events.TicketEvent],
    terms_of: Callable[[events.TicketState], Terms | None],
    pause_on: AbstractSet[str],
) -> Replayed | None:
    """Follow the events, which are in order from the first one on; None where no clock cares.

    A clock whose warning or end is among the events has told that and does not tell it again.
    """
    case: Case | None = None
    changed_seq = 0
    told: set[str] = set()
    for event in history:
        if isinstance(event, events.SLAWarned | events.SLABreached):
            clock_id = f"{event.ticket_id}.{event.target}.{event.cycle}"
            told.add(_name(clock_id, ran_out=isinstance(event, events.SLABreached)))
        if isinstance(event, IRRELEVANT):
            continue
        before = case.clocks if case else ()
        case = follow(case, event, terms_of(event.state), pause_on)
        changed_seq = event.seq if case.clocks != before else changed_seq
    return Replayed(having_told(case, told), changed_seq) if case else None


def names_told(case: Case) -> set[str]:
    """What the clocks of the case have told, as `possible_names` calls it."""
    told = {_name(clock.id, ran_out=False) for clock in case.clocks if clock.warned}
    return told | {_name(clock.id, ran_out=True) for clock in case.clocks if clock.ran_out}


def possible_names(case: Case) -> set[str]:
    """The ids of all records by which the clocks of the case may tell of a warning or an end."""
    return {_name(clock.id, ran_out=end) for clock in case.clocks for end in (False, True)}


def having_told(case: Case, names: AbstractSet[str]) -> Case:
    """The case whose clocks have also told what is in ``names``."""
    return replace(case, clocks=tuple(_having_told(clock, names) for clock in case.clocks))


def _having_told(clock: TicketClock, names: AbstractSet[str]) -> TicketClock:
    ran_out = clock.ran_out or _name(clock.id, ran_out=True) in names
    # One that ran out has warned before, or was too late to do so.
    warned = clock.warned or ran_out or _name(clock.id, ran_out=False) in names
    return replace(clock, warned=warned, ran_out=ran_out)


def _name(clock_id: str, *, ran_out: bool) -> str:
    return f"{clock_id}.{'ran-out' if ran_out else 'warned'}"
