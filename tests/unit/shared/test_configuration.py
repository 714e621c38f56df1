import json
from pathlib import Path

import pytest
import typer
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML
from typer.testing import CliRunner

from deploy.cli import config
from shared.config import ConfigurationError, load_desk
from shared.config.reference import configuration_reference, configuration_schema

DEMO = Path(__file__).parents[3] / "deploy" / "presets" / "demo.yaml"
GOOD = """\
name: Nordlicht
host: desk.example
mailboxes:
  - address: support@desk.example
    brand: Support
    team: support
teams:
  - name: support
    members: [ana@team.example]
agents:
  - address: ana@team.example
    name: Ana
"""


def problems_of(tmp_path: Path, text: str) -> list[str]:
    """What is said about the file, each line without the folder."""
    path = tmp_path / "desk.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        load_desk(path)
    return [str(p).removeprefix(f"{tmp_path}/") for p in refused.value.problems]


def test_the_demo_preset_loads() -> None:
    desk = load_desk(DEMO).desk

    assert desk.teams_by_name["support"].members == ["ana@desk-team.example", "ben@desk-team.example"]  # fmt: skip
    assert desk.sla.policies["standard"].targets["low"].resolution.seconds == 7 * 86_400


def test_the_smallest_desk_has_name_host_mailbox_team_and_agent(tmp_path: Path) -> None:
    path = tmp_path / "desk.yaml"
    path.write_text(GOOD)

    desk = load_desk(path).desk

    assert desk.mailboxes_by_address["support@desk.example"].priority == "normal"


def test_the_hash_changes_with_what_is_set_and_not_with_how_it_is_written(tmp_path: Path) -> None:
    path, same, other = (tmp_path / name for name in ("a.yaml", "b.yaml", "c.yaml"))
    path.write_text(GOOD)
    same.write_text(
        "# the same\n" + GOOD.replace("[ana@team.example]", "\n      - ANA@team.example")
    )
    other.write_text(GOOD.replace("name: Ana", "name: Anna"))

    assert load_desk(path).digest == load_desk(same).digest
    assert load_desk(path).digest != load_desk(other).digest


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("host: desk.example", "hots: desk.example"), ["desk.yaml:1: host: Field required", "desk.yaml:2: hots: unknown setting; did you mean 'host'?"]),
        (("    brand: Support", "    brnad: Support"), ["desk.yaml:4: mailboxes.0.brand: Field required", "desk.yaml:5: mailboxes.0.brnad: unknown setting; did you mean 'brand'?"]),
        (("    name: Ana", "    name: Ana\n    timezone: Berlin"), ["desk.yaml:13: agents.0.timezone: unknown time zone 'Berlin'; use a name such as Europe/Berlin"]),
        (("address: support@desk.example", "address: support"), ["desk.yaml:4: mailboxes.0.address: 'support' is no mail address"]),
        (("address: support@", "address: a-mailbox-with-a-long-name@"), ["desk.yaml:4: mailboxes.0: the part before the @ may have 23 characters, so that answers fit"]),
        (("    team: support", "    team: suport"), ["desk.yaml:6: mailboxes.0.team: unknown team 'suport'; known: support"]),
        (("members: [ana@team.example]", "members: [bea@team.example]"), ["desk.yaml:9: teams.0.members: unknown agent 'bea@team.example'; known: ana@team.example"]),
        (("name: Ana", "name: Ana\nnotices: {bundle: soon}"), ['desk.yaml:13: notices.bundle: write durations as "30m", "8h", "1h30m" or "7d"']),
        (("name: Nordlicht", "name: [Nord"), ["desk.yaml:2: expected ',' or ']', but got ':'"]),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_line_and_reason(
    tmp_path: Path, change: tuple[str, str], said: list[str]
) -> None:
    assert problems_of(tmp_path, GOOD.replace(*change)) == said


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("brand", "brnad").replace("    name: Ana", "    role: boss")

    assert len(problems_of(tmp_path, text)) == 4


@pytest.mark.parametrize("text", ["", "just text\n", "- a\n- b\n"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    assert problems_of(tmp_path, text) == ["desk.yaml:1: is not a mapping of names to values"]


def test_a_file_that_is_not_there_is_refused_without_a_trace(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_desk(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("text", "seconds"), [("30m", 1800), ("1h30m", 5400), ("2 d", 172_800), ("1w", 604_800), ("45", 45)]
)  # fmt: skip
def test_durations_are_seconds_or_text(tmp_path: Path, text: str, seconds: int) -> None:
    path = tmp_path / "desk.yaml"
    path.write_text(GOOD + f"notices: {{bundle: {text}}}\n")

    assert load_desk(path).desk.notices.bundle == seconds


def test_the_generated_schema_accepts_the_preset_and_refuses_a_misspelt_setting() -> None:
    validator = Draft202012Validator(configuration_schema())
    preset = YAML(typ="safe").load(DEMO.read_text(encoding="utf-8"))

    assert validator.is_valid(preset)
    assert not validator.is_valid({**preset, "notice": {}})
    assert not validator.is_valid({**preset, "notices": {"hold": "soon"}})


def test_the_reference_shows_type_default_meaning_and_example() -> None:
    reference = configuration_reference(YAML(typ="safe").load(DEMO.read_text(encoding="utf-8")))

    assert (
        "| `reopen_within` | duration | `7d` | A reply within this time reopens a resolved ticket;"
        in reference
    )
    assert "| `first_response` | duration |  | Until the first answer of an agent. | `1h` |" in reference  # fmt: skip


def command_line() -> typer.Typer:
    app = typer.Typer()
    config.register(app)
    return app


class TestCommand:
    def test_a_good_file_ends_with_code_0(self) -> None:
        result = CliRunner().invoke(command_line(), ["config", "check", str(DEMO)])

        assert result.exit_code == 0
        assert "good (Nordlicht Telecom" in result.output

    def test_a_wrong_file_ends_with_code_1_and_its_problems(self, tmp_path: Path) -> None:
        path = tmp_path / "desk.yaml"
        path.write_text(GOOD.replace("brand", "brnad"))

        result = CliRunner().invoke(command_line(), ["config", "check", str(path)])

        assert result.exit_code == 1
        assert f"{path}:5: mailboxes.0.brnad: unknown setting; did you mean 'brand'?" in result.output.splitlines()  # fmt: skip

    def test_problems_are_json_where_asked_for(self, tmp_path: Path) -> None:
        path = tmp_path / "desk.yaml"
        path.write_text(GOOD.replace("host: desk.example\n", ""))

        result = CliRunner().invoke(command_line(), ["config", "check", str(path), "--json"])

        assert result.exit_code == 1
        assert json.loads(result.output) == {
            "file": str(path),
            "valid": False,
            "problems": [{"line": 1, "where": "host", "reason": "Field required"}],
        }
