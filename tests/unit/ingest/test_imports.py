"""What the service's own process loads: memory at rest is counted."""

import subprocess
import sys

WHO_IS_THERE = """
import sys
import services.ingest.app
print([name for name in sys.modules if name.startswith(("services.ingest.parse.", "dns", "imap_tools", "flufl"))])
"""


def test_the_parser_and_what_only_some_desks_need_are_loaded_elsewhere() -> None:
    said = subprocess.run(
        [sys.executable, "-c", WHO_IS_THERE], capture_output=True, text=True, check=True
    )

    assert said.stdout.strip() == "[]"
