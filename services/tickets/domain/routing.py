"""Which team a new ticket goes to, and which agent is next in its rotation."""

from collections.abc import Callable

from services.tickets.domain.absence import is_away
from services.tickets.domain.facts import Facts
from services.tickets.domain.routing_rules import Route, is_within
from shared.config.models import Desk
from shared.config.people import Agent, Mailbox


def mailbox_of(address: str, desk: Desk) -> Mailbox:
    """The mailbox with that address; the desk's first where the configuration dropped it."""
    return desk.mailboxes_by_address.get(address, desk.mailboxes[0])


def next_agent(
    team: str, slot: int, facts: Facts, *, language: str = "", skill: str = ""
) -> str | None:
    """Who gets the next ticket; ``slot`` is the turn, counting from 0.

    Members who are away are never chosen; of the others those with the skill, the language, room
    and hours, each wish given up in the opposite order where nobody fulfils it. None where the
    team is unknown or all of it is away and its lead as well.
    """
    found = facts.desk.teams_by_name.get(team)
    if found is None:
        return None
    members = [facts.desk.agents_by_address[member] for member in found.members]
    here = [agent for agent in members if not is_away(agent, facts)]
    if not here:
        lead = facts.desk.agents_by_address.get(lead_of(team, facts.desk) or "")
        return lead.address if lead and not is_away(lead, facts) else None
    wishes: list[Callable[[Agent], bool]] = [
        lambda agent: not skill or skill in agent.skills,
        lambda agent: not agent.languages or language[:2] in agent.languages,
        lambda agent: not agent.capacity or facts.loads.get(agent.address, 0) < agent.capacity,
        lambda agent: agent.hours is None or is_within(agent.hours, facts.now),
    ]
    for wish in wishes:
        here = [agent for agent in here if wish(agent)] or here
    if found.rotation == "load":
        least = min(facts.loads.get(agent.address, 0) for agent in here)
        here = [agent for agent in here if facts.loads.get(agent.address, 0) == least]
    return here[slot % len(here)].address


def wants_loads(desk: Desk) -> bool:
    """Whether anything depends on how many open tickets agents have."""
    by_load = any(team.rotation == "load" for team in desk.teams)
    return by_load or any(agent.capacity for agent in desk.agents)


def chosen_agent(route: Route, slot: int, facts: Facts, *, language: str = "") -> str | None:
    """Who gets a ticket that was routed so; the rotation stands in for somebody who is away."""
    named = {
        "": "",
        "senior": senior_of(route.team, facts) or "",
        "lead": lead_of(route.team, facts.desk) or "",
        "manager": next(iter(managers_of(route.team, facts.desk)), ""),
    }.get(route.assign, route.assign)
    agent = facts.desk.agents_by_address.get(named)
    if agent and not is_away(agent, facts):
        return agent.address
    return next_agent(route.team, slot, facts, language=language, skill=route.skill)


def managers_of(team: str, desk: Desk) -> list[str]:
    """Who is called in when the team is late."""
    found = desk.teams_by_name.get(team)
    return [found.manager] if found and found.manager else []


def lead_of(team: str, desk: Desk) -> str | None:
    """Who leads the team: the one named, else its first member with that role."""
    found = desk.teams_by_name.get(team)
    if found is None or found.lead:
        return found.lead if found else None
    roles = {member: desk.agents_by_address[member].role for member in found.members}
    return next((member for member in found.members if roles[member] == "lead"), None)


def senior_of(team: str, facts: Facts, *, other_than: str | None = None) -> str | None:
    """The team's first senior agent who is here and has not the ticket already, else its lead."""
    found = facts.desk.teams_by_name.get(team)
    members = [facts.desk.agents_by_address[name] for name in (found.members if found else [])]
    seniors = (m for m in members if m.senior and m.address != other_than)
    here = next((m.address for m in seniors if not is_away(m, facts)), None)
    return here or lead_of(team, facts.desk)
