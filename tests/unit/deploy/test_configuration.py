from pathlib import Path

import pytest

from deploy.local.configuration import load_checked
from shared.config import ConfigurationError

DEMO = Path(__file__).parents[3] / "deploy/presets/demo.yaml"


def test_the_demo_company_is_a_good_configuration() -> None:
    assert load_checked(DEMO).desk.name == "Nordlicht Telecom"


def test_a_calendar_that_no_clock_can_use_is_refused_at_its_line(tmp_path: Path) -> None:
    file = tmp_path / "desk.yaml"
    file.write_text(DEMO.read_text().replace("country: DE", "country: QQ"))

    with pytest.raises(ConfigurationError) as refused:
        load_checked(file)

    problem = refused.value.problems[0]
    assert "office" in problem.reason
    assert file.read_text().splitlines()[problem.line - 1].strip() == "office:"
