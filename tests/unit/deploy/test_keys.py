import stat
from pathlib import Path

from deploy.local.keys import ensure_keys
from deploy.local.people import agents_of
from deploy.local.stack import parts
from shared.addresses import AddressBook, AddressKeys
from shared.clock import SystemClock
from shared.config import load_desk

DEMO = parts.ROOT / "deploy" / "presets" / "demo.yaml"


def test_keys_are_made_once_and_for_their_owner_only(tmp_path: Path) -> None:
    path = ensure_keys(tmp_path / "state" / "keys.json")
    first = path.read_text()

    ensure_keys(path)

    assert path.read_text() == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(AddressKeys.load(path).keys[1]) == 32


def test_two_stacks_have_different_keys(tmp_path: Path) -> None:
    one, other = (AddressKeys.load(ensure_keys(tmp_path / name / "k.json")) for name in "ab")

    assert one.keys != other.keys


def test_every_agent_has_a_desk_address_at_the_teams_mailbox(tmp_path: Path) -> None:
    desk = load_desk(DEMO).desk
    keys = ensure_keys(tmp_path / "keys.json")

    people = {person.name: person for person in agents_of(desk, keys)}

    carla = people["Carla Rossi"]
    assert (carla.role, carla.team) == ("agent", "billing")
    assert carla.desk_address.startswith("billing+")
    token = AddressBook(AddressKeys.load(keys), desk.host).read(
        carla.desk_address, SystemClock().now()
    )
    assert token
    assert (token.state, token.purpose, token.ticket_id) == ("valid", "desk", None)
    assert people["Marta Nowak"].desk_address
