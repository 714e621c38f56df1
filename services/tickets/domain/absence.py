"""Who is away and until when: what agents announce by mail, and the configuration; pure."""

from datetime import UTC, datetime, time, timedelta

from services.tickets.domain.facts import Absence, Facts
from shared.config.people import Agent


def absence_of(agent: Agent, facts: Facts) -> Absence | None:
    """The absence in which the agent is now.

    The agent's own word counts first; that they are back also ends an absence of the configuration
    that had begun by then.
    """
    own = facts.absences.get(agent.address)
    if own and own.since <= facts.now < own.until:
        return own
    found = _configured(agent, facts.now)
    is_back = found and own and own.is_return and own.said_at >= found.since
    return None if is_back else found


def is_away(agent: Agent, facts: Facts) -> bool:
    """Whether new tickets pass the agent by."""
    return absence_of(agent, facts) is not None


def _configured(agent: Agent, now: datetime) -> Absence | None:
    if not agent.away:
        return None
    zone = agent.zone
    today = now.astimezone(zone).date()
    for first, last in agent.away:
        if first <= today <= last:
            since = datetime.combine(first, time(), zone).astimezone(UTC)
            until = datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC)
            return Absence(agent.address, since, until, said_at=since)
    return None
