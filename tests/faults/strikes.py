"""What each kind of fault does; every strike is a generator that waits by yielding."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.local.parts import SERVICES
from tests.faults import disks
from tests.faults.field import Field
from tests.faults.plan import Fault
from tests.peers.strace import traced

Strike = Iterator[None]
BETWEEN_DEATHS_S = 1.2
END_S = 45.0
READY_S = 90.0
WHOLE_S = 60.0
STRANDED_S = 4.0
STEPPED_DOWN_S = 5
ANSWER_MS = 2000
FAILING_SYNCS = ("trace=fsync,fdatasync", "inject=fsync,fdatasync:error=EIO")


def strike(fault: Fault, field: Field) -> Strike:
    """Begin with the first ``next`` and heal with the last."""
    if fault.kind.startswith("net-"):
        return _network(fault, field)
    if fault.kind == "restart" and fault.target != "kafka":
        return _rolling(field)
    return _KINDS[fault.kind](fault, field)


def _kill(fault: Fault, field: Field) -> Strike:
    yield from _until(lambda: field.may_die(fault.target), WHOLE_S)
    field.kill(fault.target)


def _power_cut(fault: Fault, field: Field) -> Strike:
    """What the second had only in memory, waiting for the first, is gone."""
    first, second = fault.target.split(", ")
    yield from _until(lambda: field.may_die(first), WHOLE_S)
    field.kill(first)
    yield from _wait(BETWEEN_DEATHS_S)
    field.kill(second)


def _strand(fault: Fault, field: Field) -> Strike:
    """Without MongoDB the service holds the records that come in; then it dies with them."""
    field.play(field.network.set_mode(fault.target, "mongo", "cut"))
    try:
        yield from _wait(STRANDED_S)
        yield from _until(lambda: field.may_die(fault.target), WHOLE_S)
        field.kill(fault.target)
    finally:
        field.play(field.network.set_mode(fault.target, "mongo", "open"))


def _pause(fault: Fault, field: Field) -> Strike:
    """The process stands still with all its children, and goes on where it was."""
    pid = field.facts.pids[fault.target]
    _stop(pid)
    try:
        yield from _wait(fault.seconds)
    finally:
        _go_on(pid)


def _down(fault: Fault, field: Field) -> Strike:
    held = field.supervisor.held
    held.add(fault.target)
    field.signal(fault.target, signal.SIGTERM)
    try:
        yield from _wait(fault.seconds)
    finally:
        held.discard(fault.target)


def _restart(fault: Fault, field: Field) -> Strike:
    field.signal(fault.target, signal.SIGTERM)
    yield


def _rolling(field: Field) -> Strike:
    """One service after the other ends politely and comes back, as at an upgrade."""
    for name in SERVICES:
        yield from _until(lambda name=name: field.is_ready(name), READY_S)
        # Somebody else's SIGKILL may come first, and Python that has hardly begun dies of SIGTERM.
        early = set() if field.is_ready(name) else {-signal.SIGTERM}
        child = field.child(name)
        field.signal(name, signal.SIGTERM)
        yield from _until(lambda child=child: not child.is_running, END_S)
        code = child.popen.returncode
        if code not in {0, -signal.SIGKILL, *early}:
            field.bad_exits.append(f"{name} ended with {code} after SIGTERM")
        yield from _until(lambda name=name: field.is_ready(name), READY_S)


def _step_down(_fault: Fault, field: Field) -> Strike:
    with (
        suppress(PyMongoError),
        MongoClient(field.facts.mongo, serverSelectionTimeoutMS=ANSWER_MS) as client,
    ):
        order = {"replSetStepDown": STEPPED_DOWN_S, "secondaryCatchUpPeriodSecs": 0, "force": True}
        client.admin.command(order)
    yield from _wait(STEPPED_DOWN_S)


def _network(fault: Fault, field: Field) -> Strike:
    service, _, server = fault.target.partition("-")
    mode = fault.kind.removeprefix("net-")
    if mode == "reset":
        field.play(field.network.reset(service, server))
        yield
        return
    field.play(field.network.set_mode(service, server, mode))  # type: ignore[arg-type]
    try:
        yield from _wait(fault.seconds)
    finally:
        field.play(field.network.set_mode(service, server, "open"))


def _clock(fault: Fault, field: Field) -> Strike:
    field.clocks.set(fault.target, field.jump_s())
    try:
        yield from _wait(fault.seconds)
    finally:
        field.clocks.set(fault.target, 0)


def _disk_full(fault: Fault, field: Field) -> Strike:
    """What writes there may end, as often as it is started again, until there is room."""
    folder = field.data_of(fault.target)
    field.excused.add(fault.target)
    disks.fill(folder)
    try:
        yield from _wait(fault.seconds)
    finally:
        disks.empty(folder)


def _sync_error(fault: Fault, field: Field) -> Strike:
    """MongoDB ends itself when it cannot know what is on its disk; that is right."""
    child = field.child(fault.target)
    if not child.is_running:
        return
    field.excused.add(fault.target)
    with traced([child.pid], FAILING_SYNCS, field.data_of("strace")):
        yield from _wait(fault.seconds)


def _poison(_fault: Fault, field: Field) -> Strike:
    field.poisoner.send(field.facts.kafka)
    yield


def _stop(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGSTOP)


def _go_on(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGCONT)


def _wait(seconds: float) -> Strike:
    yield from _until(lambda: False, seconds)


def _until(condition: Callable[[], bool], seconds: float) -> Strike:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not condition():
        yield


_KINDS: Mapping[str, Callable[[Fault, Field], Strike]] = {
    "kill": _kill,
    "pause": _pause,
    "down": _down,
    "restart": _restart,
    "power-cut": _power_cut,
    "strand": _strand,
    "step-down": _step_down,
    "zombie": _pause,
    "clock": _clock,
    "poison": _poison,
    "disk-full": _disk_full,
    "sync-error": _sync_error,
}
