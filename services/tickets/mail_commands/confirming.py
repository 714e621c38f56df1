"""The text that answers `#away` and `#back`: what becomes of the agent's tickets."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from textwrap import shorten
from zoneinfo import ZoneInfo

from services.tickets.domain.absence import absence_of
from services.tickets.domain.facts import Absence, Facts
from services.tickets.domain.permissions import name_of
from services.tickets.domain.rerouting import NEEDS_SOMEBODY, stand_in
from shared.config.people import Agent
from shared.contracts.ticket_state import TicketState

SHOWN_TICKETS = 20
SHOWN_SUBJECT_CHARS = 60


def absence_title(agent: Agent, facts: Facts) -> str:
    """The heading: away now or later, or back."""
    absence = _counts(agent, facts)
    if absence is None:
        return "You are back"
    return "You are away" if absence.since <= facts.now else "You will be away"


def absence_text(agent: Agent, tickets: Sequence[TicketState], facts: Facts) -> str:
    """What holds after the agent's words; ``tickets`` are those they have that are not done.

    No line begins with a command's sign.
    """
    absence = _counts(agent, facts)
    if absence is None:
        return (
            "You are back: new tickets are given to you again.\n"
            "What colleagues took over stays with them."
        )
    zone = ZoneInfo(agent.timezone)
    is_now = absence.since <= facts.now
    begins = "now" if is_now else _at(absence.since, zone)
    urgent = [state for state in tickets if state.status in NEEDS_SOMEBODY]
    waiting = [state for state in tickets if state.status not in NEEDS_SOMEBODY]
    ends = _at(absence.until, zone)
    parts = [
        f"{absence_title(agent, facts)} from {begins} until {ends}.",
        "In that time no new ticket is given to you.",
        *_handed_over(urgent, absence, facts),
        *_kept(waiting),
        "If you are back earlier, answer this mail with #back.",
    ]
    return "\n\n".join(parts)


def _counts(agent: Agent, facts: Facts) -> Absence | None:
    """The absence that the agent announced, else the one that they are in."""
    own = facts.absences.get(agent.address)
    return own if own and own.until > facts.now else absence_of(agent, facts)


def _handed_over(tickets: list[TicketState], absence: Absence, facts: Facts) -> list[str]:
    when = "now" if absence.since <= facts.now else "when it begins"
    if not tickets:
        return ["You have no open ticket that somebody must take over."]
    then = replace(facts, now=max(facts.now, absence.since))
    lines = [f"  {_named(one)} → {_who(one, absence, then)}" for one in tickets[:SHOWN_TICKETS]]
    if len(tickets) > SHOWN_TICKETS:
        lines.append(f"  and {len(tickets) - SHOWN_TICKETS} more")
    return ["\n".join([f"These tickets of yours are handed over {when}:", *lines])]


def _kept(tickets: list[TicketState]) -> list[str]:
    if not tickets:
        return []
    lines = [f"  {_named(one)}  ({one.status})" for one in tickets[:SHOWN_TICKETS]]
    if len(tickets) > SHOWN_TICKETS:
        lines.append(f"  and {len(tickets) - SHOWN_TICKETS} more")
    head = "These wait for somebody else and stay with you until the customer writes or the rest"
    return ["\n".join([f"{head} is over; then they are handed over too:", *lines])]


def _who(state: TicketState, absence: Absence, facts: Facts) -> str:
    found = stand_in(absence, state, 0, facts)
    if found is None:
        return f"the queue of team {state.team}: nobody of it is there"
    if found == absence.stand_in or found not in _members(state, facts):
        return name_of(found, facts.desk)
    return f"the next of team {state.team}"


def _members(state: TicketState, facts: Facts) -> list[str]:
    team = facts.desk.teams_by_name.get(state.team)
    return team.members if team else []


def _named(state: TicketState) -> str:
    return f"{state.ticket_id}  {shorten(state.subject, SHOWN_SUBJECT_CHARS, placeholder=' …')}"


def _at(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M %Z}"
