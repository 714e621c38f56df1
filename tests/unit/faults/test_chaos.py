import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from tests.faults.chaos import Chaos
from tests.faults.network import Network
from tests.faults.plan import Fault


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process with a group of its own, as services have."""
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        yield process
        os.killpg(process.pid, signal.SIGKILL)


class AField:
    """A stack that is always at work; ``deeds`` is what was done to it."""

    def __init__(self, pid: int = 0) -> None:
        self.deeds: list[str] = []
        self.caused: Counter[str] = Counter()
        self.facts = SimpleNamespace(pids={"notify": pid})
        self.clocks = SimpleNamespace(set=lambda name, s: self.deeds.append(f"{name} {s:+.0f} s"))

    def is_ready(self, _name: str) -> bool:
        return True

    def may_die(self, _name: str) -> bool:
        return True

    def kill(self, name: str) -> None:
        self.deeds.append(f"kill {name}")

    def jump_s(self) -> float:
        return 60.0


def a_chaos(field: Any, *faults: Fault) -> Chaos:
    return Chaos(field, list(faults), Random(1), pause_s=(0.01, 0.02), say=lambda _: None)


def play(chaos: Chaos, until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not until():
        assert time.monotonic() < deadline
        chaos.step()


def test_every_fault_of_the_plan_happens_once() -> None:
    field = AField()
    chaos = a_chaos(field, Fault("kill", "notify"), Fault("power-cut", "kafka, tickets"))

    play(chaos, lambda: chaos.is_over)

    assert Counter(field.deeds) == Counter(["kill notify", "kill kafka", "kill tickets"])
    assert chaos.left == 0
    assert chaos.progress == pytest.approx(1.0, abs=0.34)


def test_a_clock_is_set_right_again_and_the_time_of_it_is_in_the_books() -> None:
    field = AField()
    chaos = a_chaos(field, Fault("clock", "sla", seconds=0.05))

    play(chaos, lambda: chaos.is_over and bool(chaos.recovery_s()))

    assert field.deeds == ["sla +60 s", "sla +0 s"]
    [disturbance] = chaos.disturbances(time.time())
    assert disturbance.begun < disturbance.over <= time.time()


def test_what_stands_still_goes_on_when_the_run_ends(sleeper: subprocess.Popen[bytes]) -> None:
    chaos = a_chaos(AField(sleeper.pid), Fault("pause", "notify", seconds=1000))
    process = psutil.Process(sleeper.pid)
    play(chaos, lambda: process.status() == psutil.STATUS_STOPPED)
    assert not chaos.is_over

    chaos.finish()

    assert process.status() != psutil.STATUS_STOPPED
    assert chaos.is_over


def test_each_service_has_a_link_of_its_own_to_each_of_its_servers() -> None:
    network = Network()

    ports = [link.port for link in network.links.values()]
    kafkas = {one.advertised for one in network.kafka_listeners}
    assert len(set(ports)) == len(ports) == 11
    assert kafkas == {env["POSTDESK_KAFKA"] for env in network.env.values()}
    assert len({env["POSTDESK_MONGO"] for env in network.env.values()}) == 5
    assert "POSTDESK_RELAY" in network.env["notify"]
