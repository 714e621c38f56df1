"""Other clocks for single services: libfaketime moves what they take for the time of day."""

from importlib.util import find_spec
from pathlib import Path

FAKED = ("sla", "notify")
_LIBRARY = "vendor/libfaketime/src/libfaketime.so.1"


class FakeTime:
    """One file for each service says how far ahead its clock is; monotonic time stays true."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for service in FAKED:
            self.set(service, 0)

    @staticmethod
    def library() -> Path | None:
        """The library of the package ``libfaketime``; None where there is none for this machine."""
        found = find_spec("libfaketime")
        path = Path(found.origin).parent / _LIBRARY if found and found.origin else None
        return path if path and path.exists() else None

    def set(self, service: str, ahead_s: float) -> None:
        """Let the service's clock jump; it reads the file within a second."""
        part = self._file(service).with_suffix(".part")
        part.write_text(f"{ahead_s:+.0f}\n")
        part.replace(self._file(service))

    def env(self, service: str) -> dict[str, str]:
        """The environment that makes a process follow its file."""
        library = self.library()
        if library is None or service not in FAKED:
            return {}
        return {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file(service)),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def _file(self, service: str) -> Path:
        return self._folder / f"{service}.clock"
