"""Who can play with a stack: the configured agents, with their desk addresses."""

from pathlib import Path

from deploy.local.facts import Person
from shared.addresses import AddressBook, AddressKeys
from shared.config import Desk


def agents_of(desk: Desk, keys: Path) -> list[Person]:
    """Return agents, leads and managers; the desk address is where each may write unasked."""
    book = AddressBook(AddressKeys.load(keys), desk.host)
    teams = {member: team.name for team in reversed(desk.teams) for member in team.members}
    boxes = {box.team: box.address for box in reversed(desk.mailboxes)}
    people = []
    for agent in desk.agents:
        team = teams.get(agent.address, "")
        mailbox = boxes.get(team, desk.mailboxes[0].address)
        address = book.address(mailbox, "desk", ticket_id=None, party=agent.address)
        people.append(
            Person(
                address=agent.address,
                name=agent.name,
                role=agent.role,
                team=team,
                desk_address=address,
            )
        )
    return people
