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
