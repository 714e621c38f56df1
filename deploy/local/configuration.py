"""The desk's file as every service will read it: what only one of them looks at is tried too."""

from pathlib import Path

from services.sla.domain.calendar import CalendarError
from services.sla.domain.policy import Policies
from shared.config import ConfigurationError, load_desk
from shared.config.loading import LoadedDesk, Problem


def load_checked(path: Path) -> LoadedDesk:
    """Read and check the file; raises `ConfigurationError` with file, line and reason."""
    loaded = load_desk(path)
    try:
        Policies(loaded.desk)
    except CalendarError as error:
        line = _line_of(path, next(n for n in loaded.desk.calendars if repr(n) in str(error)))
        raise ConfigurationError([Problem(path, line, "calendars", str(error))]) from error
    return loaded


def _line_of(path: Path, calendar: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    named = (n for n, line in enumerate(lines, 1) if line.strip().startswith(f"{calendar}:"))
    return next(named, 1)
