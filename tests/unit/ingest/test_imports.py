"""What the service's own process and its parsers load: memory and time to start are counted."""

import subprocess
import sys

import pytest

WHO_IS_THERE = """
import sys
import {module}
print([name for name in sys.modules if name.startswith({unneeded})])
"""


@pytest.mark.parametrize(
    ("module", "unneeded"),
    [
        ("services.ingest.app", ("services.ingest.parse.", "dns", "imap_tools", "flufl")),
        # Half of a parser's time to start, which is an answer's time after a mail that killed one.
        ("services.ingest.child", ("pydantic", "asyncio", "structlog", "dns", "motor")),
    ],
)
def test_what_only_others_or_only_some_desks_need_is_not_loaded(
    module: str, unneeded: tuple[str, ...]
) -> None:
    code = WHO_IS_THERE.format(module=module, unneeded=unneeded)

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "[]"
