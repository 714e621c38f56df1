"""What a service's process does without: memory at rest is counted."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SERVICES = Path(__file__).parents[3] / "services"
LOAD = """
import sys
import shared.unneeded
import services.{name}.app
print([name for name in ("rich", "pygments", "cryptography") if sys.modules.get(name)])
"""


@pytest.mark.parametrize("name", ["ingest", "tickets", "sla", "notify", "reports"])
def test_a_service_loads_nothing_only_because_it_is_there(name: str) -> None:
    main = ast.parse((SERVICES / name / "__main__.py").read_text())
    first = next(one for one in main.body if isinstance(one, ast.Import | ast.ImportFrom))
    assert isinstance(first, ast.Import)
    assert first.names[0].name == "shared.unneeded"

    said = subprocess.run(
        [sys.executable, "-c", LOAD.format(name=name)], capture_output=True, text=True, check=True
    )

    assert said.stdout.strip() == "[]"
