"""A real Postfix in a folder of its own: the system's configuration and queue stay untouched."""

import shutil
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.local.ports import free_port

MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
MAIN = {
    "compatibility_level": "3.6",
    "myhostname": "relay.example",
    "mydestination": "",
    "mynetworks": "127.0.0.0/8",
    "inet_protocols": "ipv4",
    "local_recipient_maps": "",
    "alias_maps": "",
    "smtpd_recipient_restrictions": "permit_mynetworks, reject",
    "recipient_delimiter": "+",
    "minimal_backoff_time": "1s",
    "queue_run_delay": "1s",
}
START_S = 30.0


class Postfix:
    """Listens on ``port``; ``log`` is its log file."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.port = free_port()
        self.settings = settings
        self.log = folder / "maillog"
        self._configuration = folder / "etc"
        self._configuration.mkdir()
        for name in ("queue", "data"):
            (folder / name).mkdir()
        shutil.chown(folder / "data", "postfix")
        own = {
            "queue_directory": str(folder / "queue"),
            "data_directory": str(folder / "data"),
            "maillog_file": str(self.log),
            "maillog_file_prefixes": str(folder),
        }
        lines = [f"{name} = {value}\n" for name, value in (MAIN | own | dict(settings)).items()]
        (self._configuration / "main.cf").write_text("".join(lines))
        (self._configuration / "master.cf").write_text(MASTER.format(port=self.port))
        for name in ("dynamicmaps.cf", "postfix-files"):
            shutil.copy(Path("/etc/postfix") / name, self._configuration)

    def start(self) -> None:
        """Return when it greets."""
        self._run("start")
        deadline = time.monotonic() + START_S
        while not self._greets():
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)

    def stop(self) -> None:
        """End it and all that it started."""
        self._run("stop")

    def deliver(self, sender: str, recipients: list[str], raw: bytes) -> None:
        """Hand a mail to it; it answers 250 and takes it from there."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=30) as session:
            session.sendmail(sender, recipients, raw)

    def wait_for(self, condition: Callable[[str], bool], *, seconds: float = 60.0) -> str:
        """Give the log when the condition holds of it."""
        deadline = time.monotonic() + seconds
        while not condition(text := self.log.read_text()):
            assert time.monotonic() < deadline, text
            time.sleep(0.1)
        return text

    def _greets(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                return connection.recv(100).startswith(b"220")
        except OSError:
            return False

    def _run(self, *words: str) -> None:
        done = subprocess.run(
            ["postfix", "-c", self._configuration, *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        log = self.log.read_text() if self.log.exists() else ""
        assert done.returncode == 0, done.stderr + done.stdout + log


@contextmanager
def a_postfix(**settings: str) -> Iterator[Postfix]:
    """One that runs; its user must be able to walk to its folder, which pytest's forbid."""
    with tempfile.TemporaryDirectory(prefix="postdesk-postfix-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        postfix = Postfix(folder, settings)
        postfix.start()
        try:
            yield postfix
        finally:
            postfix.stop()
