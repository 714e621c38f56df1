"""The ladder: what a step does to a ticket whose clock nears its due time, or passed it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.tickets.domain import routing
from services.tickets.domain.absence import is_away
from services.tickets.domain.story import Story
from shared.config.models import Desk
from shared.config.sla import Step
from shared.contracts import ticket as contract
from shared.contracts.sla import Target

MOST_PEOPLE = 20
_NAMES = {
    "first-response": "First response",
    "next-response": "Answer to the customer",
    "resolution": "Resolution",
}


@dataclass(frozen=True, slots=True)
class Rung:
    """Where on the ladder a ticket is: the clock, and when it was or will be due."""

    target: Target
    cycle: int
    due_at: datetime


def steps_of(policy: str, desk: Desk) -> Iterable[Step]:
    """The ladder of a policy; the desk's where the policy has none of its own, or is gone."""
    found = desk.sla.policies.get(policy)
    return desk.sla.steps if found is None or found.steps is None else found.steps


def climb(story: Story, step: Step, rung: Rung) -> None:
    """Do what the step says; people are told last, of the ticket as it is then."""
    _raise_priority(story, step.priority)
    _move(story, step.team)
    _assign(story, step.assign)
    people = _people(step.notify, story)
    if not people and not step.flag:
        return
    was_or_is = "was" if step.late is not None else "is"
    reason = f"{_NAMES[rung.target]} {was_or_is} due at {rung.due_at:%Y-%m-%d %H:%M} UTC"
    story.tell(
        contract.TicketEscalated,
        reason=reason,
        to=people,
        step=step.name,
        target=rung.target,
        cycle=rung.cycle,
        urgent=step.at_night,
    )


def _raise_priority(story: Story, wanted: str) -> None:
    names, now = story.facts.desk.priorities, story.state.priority
    if wanted == "raise" and now in names:
        wanted = names[min(names.index(now) + 1, len(names) - 1)]
    if wanted in names and wanted != now:
        story.tell(contract.FieldChanged, field="priority", value=wanted, previous=now)


def _move(story: Story, team: str) -> None:
    state, desk = story.state, story.facts.desk
    if not team or team == state.team:
        return
    story.tell(contract.TeamChanged, team=team, previous=state.team)
    if state.assignee not in desk.teams_by_name[team].members:
        _give(story, _next_agent(story))


def _assign(story: Story, wanted: str) -> None:
    """To whom the step names; the team's rotation stands in for somebody who is away."""
    if not wanted:
        return
    person = _person(wanted, story)
    agent = story.facts.desk.agents_by_address.get(person or "")
    _give(story, _next_agent(story) if agent and is_away(agent, story.facts) else person)


def _next_agent(story: Story) -> str | None:
    # Two looks at one ticket must find the same person: its number stands for a turn.
    number = int(story.state.ticket_id.removeprefix("T-"))
    return routing.next_agent(story.state.team, number, story.facts)


def _give(story: Story, agent: str | None) -> None:
    state = story.state
    if agent is None or agent == state.assignee:
        return
    story.tell(
        contract.TicketAssigned, assignee=agent, previous=state.assignee, reason="escalation"
    )
    if state.locked_by not in (None, agent):
        story.tell(contract.LockChanged, locked_by=None, previous=state.locked_by)


def _people(roles: Iterable[str], story: Story) -> list[str]:
    found: list[str] = []
    for role in roles:
        if role == "team":
            team = story.facts.desk.teams_by_name.get(story.state.team)
            found += team.members if team else []
        elif person := _person(role, story):
            found.append(person)
    return list(dict.fromkeys(found))[:MOST_PEOPLE]


def _person(role: str, story: Story) -> str | None:
    """The address that a role stands for now; an address is itself."""
    state, desk = story.state, story.facts.desk
    match role:
        case "assignee":
            return state.assignee or routing.next_agent(state.team, 0, story.facts)
        case "senior":
            return routing.senior_of(state.team, story.facts, other_than=state.assignee)
        case "lead":
            return routing.lead_of(state.team, desk)
        case "manager":
            return next(iter(routing.managers_of(state.team, desk)), None)
        case _:
            return role
