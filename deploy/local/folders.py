"""Where binaries and state live: the user's cache and state folders, never the source tree."""

from pathlib import Path

import platformdirs


def cache_dir() -> Path:
    """Return the folder of what can be fetched again; shared by all stacks of this user."""
    return platformdirs.user_cache_path("postdesk", appauthor=False)


def default_state_dir() -> Path:
    """Return the folder of the stack that is meant when nobody names one."""
    return platformdirs.user_state_path("postdesk", appauthor=False) / "default"
