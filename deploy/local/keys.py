"""The keys of a stack's signed addresses: made once, readable by their owner only."""

import base64
import json
import os
import secrets
import sys
from pathlib import Path

KEY_BYTES = 32


def ensure_keys(path: Path) -> Path:
    """Return the path of the key file after making it, if there is none; it is never replaced."""
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    key = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w") as out:
        json.dump({"current": 1, "keys": {"1": key}}, out)
    part.rename(path)
    return path


if __name__ == "__main__":
    print(ensure_keys(Path(sys.argv[1])))
