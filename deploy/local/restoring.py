"""Starts what a restore needs of a new stack, restores, and ends it again."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from deploy.local import facts
from deploy.local.errors import StackError
from deploy.local.providers.choice import choose, no_progress
from deploy.local.providers.jars import Progress
from deploy.local.restore import Restored, restore

KEYS = "keys.json"


@dataclass(frozen=True)
class Target:
    """Where to restore; an empty address means one that is started in the state folder."""

    state: Path
    mongo: str = ""
    kafka: str = ""


def restore_into(
    target: Target, folder: Path, *, skip_numbers: int, progress: Progress = no_progress
) -> Restored:
    """Restore stores, topics and keys; nothing is left running.

    Raises:
        StackError: the stack runs, holds data or has other keys, or the backup is not whole.
    """
    if facts.read(target.state):
        raise StackError(
            f"A stack is running with the state folder {target.state}.",
            remedy="restore into a new folder, with --state-dir.",
        )
    _check_keys(folder / KEYS, target.state / KEYS)
    target.state.mkdir(parents=True, exist_ok=True)
    backends = choose(target.state, kafka=target.kafka, mongo=target.mongo, progress=progress)
    backends.start()
    try:
        where = backends.mongo.address, backends.kafka.address
        restored = restore(folder, *where, skip_numbers=skip_numbers)
    finally:
        backends.stop()
    if KEYS in restored.manifest.files:
        keys = target.state / KEYS
        keys.touch(mode=0o600)
        shutil.copyfile(folder / KEYS, keys)
    return restored


def _check_keys(saved: Path, there: Path) -> None:
    """Without the old keys no answer to an old mail finds its ticket."""
    if saved.is_file() and there.is_file() and saved.read_bytes() != there.read_bytes():
        raise StackError(
            f"{there} has other keys than the backup.",
            remedy="restore into a new folder, with --state-dir.",
        )
