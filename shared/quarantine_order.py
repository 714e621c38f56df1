"""What an admin may write as ``#quarantine …``: tickets checks it, ingest does it."""

import re
from dataclasses import dataclass
from typing import Literal, get_args

Action = Literal["list", "show", "retry", "release", "drop"]
ACTIONS: tuple[str, ...] = get_args(Action)
USAGE = "list | show ID | retry, release or drop with ids or all, and perhaps why TEXT"
_SIGNS = "#＃/@"
_WORD = re.compile(rf"[{_SIGNS}]quarantine(?:\s+(.*))?", re.IGNORECASE)
_NAME = re.compile(r"[0-9a-f]{4,64}")


@dataclass(frozen=True, slots=True)
class QuarantineOrder:
    """``names`` are ids or their first characters; ``every`` means all that wait."""

    action: Action
    names: tuple[str, ...] = ()
    every: bool = False
    why: str = ""


def read(arguments: str) -> QuarantineOrder | None:
    """The order in what follows the word; None where it is none. Nothing means ``list``."""
    named, _, why = f" {arguments} ".partition(" why ")
    action, *names = named.lower().split() or ["list"]
    if action not in ACTIONS:
        return None
    every = names == ["all"]
    ids = () if every else tuple(dict.fromkeys(names))
    counts = {"list": not ids, "show": len(ids) == 1 and not every}
    if not counts.get(action, every or bool(ids)) or not all(map(_NAME.fullmatch, ids)):
        return None
    return QuarantineOrder(action, ids, every, why.strip())  # type: ignore[arg-type] # see above


def order_in(new_text: str) -> QuarantineOrder | None:
    """The order that a mail's new text begins with, if it is the only command there."""
    lines = [line.replace("\u00a0", " ").rstrip() for line in new_text.splitlines() if line.strip()]
    if sum(line[0] in _SIGNS for line in lines) != 1:
        return None
    found = _WORD.fullmatch(lines[0])
    return read(found[1] or "") if found else None
