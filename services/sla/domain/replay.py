"""The clocks of a ticket from its whole history, as if every event had just been read. Pure."""

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from services.sla.domain.case import IRRELEVANT, Case, follow, traits_of
from services.sla.domain.clock import TicketClock
from services.sla.domain.policy import Terms, Traits
from shared.contracts import ticket as events


@dataclass(frozen=True)
class Replayed:
    """The case after the last event, and the seq of the last one that changed a clock (or 0)."""

    case: Case
    changed_seq: int


def replayed(
    history: Iterable[events.TicketEvent],
    terms_of: Callable[[Traits], Terms | None],
) -> Replayed | None:
    """Follow the events, which are in order from the first one on; None where no clock cares.

    A clock whose warning or end is among the events has told that and does not tell it again.
    """
    case: Case | None = None
    changed_seq = 0
    told: set[str] = set()
    for event in history:
        told |= _told_by(event)
        if isinstance(event, IRRELEVANT):
            continue
        before = case.clocks if case else ()
        case = follow(case, event, terms_of(traits_of(event)))
        changed_seq = event.seq if case.clocks != before else changed_seq
    return Replayed(having_told(case, told), changed_seq) if case else None


def names_told(case: Case) -> set[str]:
    """What the clocks of the case have told, as `possible_names` calls it."""
    found = set()
    for clock in case.clocks:
        found |= {f"{clock.id}.warned"} if clock.warned else set()
        found |= {clock.ran_out_id} if clock.ran_out else set()
        found |= {f"{clock.id}.step-{name}" for name in clock.stepped}
    return found


def possible_names(case: Case) -> set[str]:
    """The ids of all records by which the clocks of the case may tell of what they reach."""
    return {
        name
        for clock in case.clocks
        for name in (
            f"{clock.id}.warned",
            clock.ran_out_id,
            *(f"{clock.id}.step-{step}" for step, _ in clock.steps),
        )
    }


def having_told(case: Case, names: AbstractSet[str]) -> Case:
    """The case whose clocks have also told what is in ``names``."""
    return replace(case, clocks=tuple(_having_told(clock, names) for clock in case.clocks))


def _having_told(clock: TicketClock, names: AbstractSet[str]) -> TicketClock:
    ran_out = clock.ran_out or clock.ran_out_id in names
    # One that ran out has warned before, or was too late to do so.
    warned = clock.warned or ran_out or f"{clock.id}.warned" in names
    stepped = [
        name
        for name, _ in clock.steps
        if name not in clock.stepped and f"{clock.id}.step-{name}" in names
    ]
    return replace(clock, warned=warned, ran_out=ran_out, stepped=(*clock.stepped, *stepped))


def _told_by(event: events.TicketEvent) -> set[str]:
    """The record that a clock must have told for this to happen."""
    match event:
        case events.SLAWarned(target=target, cycle=cycle):
            what = "warned"
        case events.SLABreached(target=target, cycle=cycle):
            what = "ran-out"
        case events.TicketEscalated(target=str() as target, cycle=cycle, step=step) if step:
            what = f"step-{step}"
        case _:
            return set()
    return {f"{event.ticket_id}.{target}.{cycle}.{what}"}
