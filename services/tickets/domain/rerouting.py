"""What becomes of a ticket whose assignee is away while somebody is needed; pure."""

from services.tickets.domain import routing
from services.tickets.domain.absence import absence_of, is_away
from services.tickets.domain.facts import Absence, Facts
from services.tickets.domain.story import Story
from shared.contracts import ticket as contract
from shared.contracts.ticket_state import Status, TicketState

NEEDS_SOMEBODY: tuple[Status, ...] = ("new", "open")
"""Statuses of tickets that are handed over when an absence begins; the others wait for something
and are handed over when it comes."""


def reroute(story: Story, slot: int | None = None) -> None:
    """Give the ticket of an absent assignee to a colleague; silent where the assignee is there.

    ``slot`` is a turn in the team's rotation. Without one the ticket's number stands for it, so
    that two looks at one ticket find the same person. Where nobody is there the ticket goes back
    to the team's queue.
    """
    state, facts = story.state, story.facts
    assignee = facts.desk.agents_by_address.get(state.assignee or "")
    absence = absence_of(assignee, facts) if assignee else None
    if assignee is None or absence is None:
        return
    turn = int(state.ticket_id.removeprefix("T-")) if slot is None else slot
    colleague = stand_in(absence, state, turn, facts)
    story.tell(
        contract.TicketAssigned,
        by="system:absence",
        assignee=colleague,
        previous=assignee.address,
        reason="rotation" if colleague else "release",
        because=f"{assignee.name} is away until {absence.until:%Y-%m-%d %H:%M} UTC",
    )
    if state.locked_by not in (None, colleague):
        story.tell(
            contract.LockChanged, by="system:absence", locked_by=None, previous=state.locked_by
        )


def stand_in(absence: Absence, state: TicketState, slot: int, facts: Facts) -> str | None:
    """Who gets the ticket: whom the absent agent named, else the team's next, else its lead."""
    named = facts.desk.agents_by_address.get(absence.stand_in)
    if named and not is_away(named, facts):
        return named.address
    return routing.next_agent(state.team, slot, facts, language=state.language)
