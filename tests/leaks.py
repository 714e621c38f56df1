"""Looks for what must not be in logs: words of mails, addresses, tokens."""

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from pathlib import Path

from deploy.local.parts import SERVICES

TOKEN = re.compile(r"\+([a-z2-7]{40})@")
"""A signed address (`shared.addresses`): the part between mailbox name and domain."""
_LIKE_A_TOKEN = re.compile(r"(?<![a-z0-9])[a-z2-7]{40}(?![a-z0-9])")


def service_logs(state: Path) -> list[Path]:
    """The logs of a stack's five services, as far as they have been rotated too."""
    found = [path for name in SERVICES for path in (state / "logs").glob(f"{name}*.log*")]
    assert {path.name for path in found} >= {f"{name}.log" for name in SERVICES}
    return sorted(found)


def leaks(
    logs: Iterable[Path], words: Iterable[str], tokens: AbstractSet[str] = frozenset()
) -> list[str]:
    """File, line number and word of each place where a log has a word, in any case, or a token."""
    pattern = re.compile("|".join(sorted(map(re.escape, words))), re.IGNORECASE)
    return [
        f"{log.name}:{number} has {found}: {line.strip()[:300]}"
        for log in logs
        for number, line in enumerate(log.read_text(errors="replace").splitlines(), start=1)
        if (found := {*pattern.findall(line), *tokens.intersection(_LIKE_A_TOKEN.findall(line))})
    ]
