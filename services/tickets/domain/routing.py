"""Which team a new ticket goes to, and which agent is next in its rotation."""

from shared.config.models import Desk, Mailbox


def mailbox_of(address: str, desk: Desk) -> Mailbox:
    """The mailbox with that address; the desk's first where the configuration dropped it."""
    return desk.mailboxes_by_address.get(address, desk.mailboxes[0])


def next_agent(team: str, slot: int, desk: Desk) -> str | None:
    """The member whose turn ``slot`` is, counting from 0; None for an unknown team."""
    found = desk.teams_by_name.get(team)
    return found.members[slot % len(found.members)] if found else None


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


def senior_of(team: str, desk: Desk, *, other_than: str | None = None) -> str | None:
    """The team's first senior agent who does not have the ticket already, else its lead."""
    found = desk.teams_by_name.get(team)
    members = found.members if found else []
    seniors = (m for m in members if desk.agents_by_address[m].senior and m != other_than)
    return next(seniors, None) or lead_of(team, desk)
