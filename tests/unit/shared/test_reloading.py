"""The desk's file while a service runs: who changes it is followed, unless it is wrong."""

import asyncio
from pathlib import Path

import pytest

from shared.config.loading import LoadedDesk
from shared.health import Health
from shared.reloading import CHECK, DeskFile
from tests.bus_records import until

LOOK_S = 0.001
DESK = """
name: NAME
host: desk.example
mailboxes: [{address: support@desk.example, brand: Example, team: support}]
teams: [{name: support, members: [ana@x.example]}]
agents: [{address: ana@x.example, name: Ana}]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    written = tmp_path / "desk.yaml"
    written.write_text(DESK.replace("NAME", "Before"))
    return written


async def test_another_valid_file_is_told_of(path) -> None:
    file = DeskFile(path)
    current = file.load()
    looking = asyncio.create_task(file.another(current, Health(), look_s=LOOK_S))

    path.write_text(DESK.replace("NAME", "Afterwards"))

    found: LoadedDesk = await asyncio.wait_for(looking, 10)
    assert found.desk.name == "Afterwards"
    assert found.digest != current.digest


async def test_a_wrong_file_is_refused_with_its_line_and_a_right_one_followed(path) -> None:
    file, health = DeskFile(path), Health()
    current = file.load()
    looking = asyncio.create_task(file.another(current, health, look_s=LOOK_S))

    path.write_text(DESK.replace("team: support", "team: nowhere"))
    await until(lambda: CHECK in health.checks)
    refused = health.checks[CHECK]
    path.unlink()
    await until(lambda: "cannot be read" in health.checks[CHECK].detail)
    path.write_text(DESK.replace("NAME", "Put right"))

    assert (await asyncio.wait_for(looking, 10)).desk.name == "Put right"
    assert (refused.is_ok, refused.needed) == (False, False)
    assert f"{path}:4: mailboxes.0.team: unknown team 'nowhere'" in refused.detail
    assert health.checks[CHECK].is_ok


async def test_the_same_configuration_written_anew_changes_nothing(path) -> None:
    file, health = DeskFile(path), Health()
    looking = asyncio.create_task(file.another(file.load(), health, look_s=LOOK_S))

    path.write_text(path.read_text() + "# A remark.\n")
    await until(lambda: CHECK in health.checks)

    assert not looking.done()
    looking.cancel()
