"""One service as a process of its own, started, killed and asked whether it is ready."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path


class ServiceProcess:
    """``python -m services.NAME`` with the settings given; its log goes to a file in ``folder``."""

    def __init__(self, name: str, folder: Path, settings: Mapping[str, str]) -> None:
        self.name = name
        self._log = folder / f"{name}.log"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.health = f"127.0.0.1:{probe.getsockname()[1]}"
        self._environment = os.environ | {
            f"POSTDESK_{key.upper()}": value
            for key, value in (
                {"health": self.health, "state_dir": str(folder)} | dict(settings)
            ).items()
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self, *, seconds: float = 60.0) -> None:
        """Return when it says that it is ready."""
        self.launch()
        self.wait_ready(seconds)

    def launch(self) -> None:
        """Return at once."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", f"services.{self.name}"], env=self._environment, stderr=log
            )

    def wait_ready(self, seconds: float) -> None:
        """Return when it says that it is ready; it must not end meanwhile."""
        assert self._process is not None
        deadline = time.monotonic() + seconds
        while not self.is_ready():
            assert self._process.poll() is None, self._log.read_text()[-3000:]
            assert time.monotonic() < deadline, self._log.read_text()[-3000:]
            time.sleep(0.1)

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.health}/readyz", timeout=2) as answer:
                return bool(json.load(answer)["ready"])
        except (urllib.error.URLError, OSError):
            return False

    def kill(self) -> None:
        """SIGKILL, as a crash."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """SIGTERM, and its exit code must be 0."""
        assert self._process is not None
        self._process.terminate()
        assert self._process.wait(timeout=40) == 0, self._log.read_text()[-3000:]
