"""Pages of the documentation that a program writes, and compares with what is committed."""

import sys
from pathlib import Path


def write_or_check(page: Path, text: str, arguments: list[str], *, run: str) -> int:
    """Write the page, or with ``--check`` compare it; gives 0 where all is well.

    ``run`` is the command that writes it.
    """
    if arguments != ["--check"]:
        page.write_text(text, encoding="utf-8")
        return 0
    if not page.exists() or page.read_text(encoding="utf-8") != text:
        sys.stderr.write(f"docs/{page.name} is not up to date. Run: {run}\n")
        return 1
    return 0
