"""Kafka's program files: fetched once with jgo, each checked against the committed lock file."""

import fcntl
import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from jgo.env import LockedDependency, LockFile
from jgo.maven import MavenContext

from deploy.local.errors import StackError

LOCK = Path(__file__).with_name("kafka.lock.toml")
MARK = "complete"
PARALLEL_FETCHES = 6
NO_NETWORK = (
    "check the network (HTTPS to Maven Central, or HTTPS_PROXY), then try again; files that have "
    "arrived are kept. Or name a running broker with --kafka HOST:PORT."
)


Progress = Callable[[int, int], None]
"""Told how far a fetch is: so many files of so many are there."""


def kafka_jars(cache: Path, progress: Progress) -> list[Path]:
    """Return Kafka's class path, complete and checked; fetches what is missing.

    Two stacks that fetch at once wait for each other. A file that does not match its SHA-256 is
    deleted and fetched again once.

    Raises:
        StackError: a file could not be fetched, or does not match the lock.
    """
    lock = LockFile.load(LOCK)
    repository = cache / "maven"
    mark = cache / f"kafka-{_sha256(LOCK)[:16]}.{MARK}"
    jars = [_path(repository, locked) for locked in lock.dependencies]
    if mark.exists() and all(jar.exists() for jar in jars):
        return jars
    try:
        with _one_at_a_time(cache / "fetch.lock"):
            _fetch(lock.dependencies, repository, progress)
            mark.touch()
    except OSError as error:
        cause = f"Kafka's files cannot be kept in {cache}: {error.strerror}."
        raise StackError(cause, remedy="name a folder of yours in XDG_CACHE_HOME.") from error
    return jars


def is_fetched(cache: Path) -> bool:
    """Say whether nothing needs to be fetched any more."""
    return (cache / f"kafka-{_sha256(LOCK)[:16]}.{MARK}").exists()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _path(repository: Path, locked: LockedDependency) -> Path:
    folder = repository.joinpath(*locked.groupId.split("."), locked.artifactId, locked.version)
    return folder / f"{locked.artifactId}-{locked.version}.{locked.packaging}"


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(wanted: list[LockedDependency], repository: Path, progress: Progress) -> None:
    context = MavenContext(repo_cache=repository, timeout=30)

    def fetch(locked: LockedDependency) -> None:
        jar = _path(repository, locked)
        for _ in range(2):
            if jar.exists() and _sha256(jar) == locked.sha256:
                return
            jar.unlink(missing_ok=True)
            project = context.project(locked.groupId, locked.artifactId)
            project.at_version(locked.version).artifact().resolve()
        if _sha256(jar) != locked.sha256:
            jar.unlink()
            raise StackError(f"{jar.name} differs from the lock file.", remedy=NO_NETWORK)

    try:
        with ThreadPoolExecutor(PARALLEL_FETCHES) as pool:
            for done, _ in enumerate(pool.map(fetch, wanted), start=1):
                progress(done, len(wanted))
    except StackError:
        raise
    except Exception as error:
        raise StackError(f"Kafka could not be fetched: {error}", remedy=NO_NETWORK) from error
