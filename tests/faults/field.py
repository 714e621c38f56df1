"""What chaos can get hold of: processes, network, clocks, and the books it keeps of its deeds."""

import random
import signal
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from deploy.local import health
from deploy.local.facts import StackFacts
from deploy.local.parts import SERVICES
from deploy.local.process import Child
from deploy.local.supervisor import Supervisor
from tests.actors.desk import RunningDesk
from tests.faults.cluster import KafkaCluster, MongoCluster
from tests.faults.faketime import FakeTime
from tests.faults.network import Network
from tests.faults.plan import Lengths
from tests.faults.poisoner import Poisoner


@dataclass
class Field:
    """Use it from the main thread. ``caused``: ends of processes that were our doing."""

    desk: RunningDesk
    network: Network
    clocks: FakeTime
    poisoner: Poisoner
    chance: random.Random
    lengths: Lengths
    caused: Counter[str] = field(default_factory=Counter)
    bad_exits: list[str] = field(default_factory=list)
    excused: set[str] = field(default_factory=set)
    """Parts that may end by themselves, since their disk failed."""

    @property
    def facts(self) -> StackFacts:
        """Where everything is now."""
        return self.desk.facts

    @property
    def supervisor(self) -> Supervisor:
        """Who starts again what has ended."""
        assert self.desk.stack.supervisor
        return self.desk.stack.supervisor

    def child(self, name: str) -> Child:
        """The process of a service, Kafka or MongoDB as it is now."""
        return self.desk.stack.child(name)

    def data_of(self, name: str) -> Path:
        """The folder of a part's data."""
        return Path(self.facts.state_dir) / name

    def signal(self, name: str, number: signal.Signals) -> None:
        """Have it end; one that has ended already is left alone."""
        child = self.child(name)
        if child.is_running:
            self.caused[name] += 1
            with suppress(ProcessLookupError):
                child.popen.send_signal(number)

    def kill(self, name: str) -> None:
        """SIGKILL; of a cluster the node that matters most, and only while it is whole."""
        cluster = self._clusters.get(name)
        if cluster is None:
            self.signal(name, signal.SIGKILL)
        elif cluster.is_whole():
            self.caused[name] += 1
            died = cluster.kill_leader() if name == "kafka" else cluster.kill_primary()
            self.desk.stack.say(f"{died} was the one")

    def may_die(self, name: str) -> bool:
        """Whether all nodes of a cluster are there; always, where there is one node."""
        return name not in self._clusters or self._clusters[name].is_whole()

    @property
    def _clusters(self) -> dict[str, Any]:
        backends = self.desk.stack.backends
        servers = [backends.kafka, backends.mongo] if backends else []
        return {one.name: one for one in servers if isinstance(one, KafkaCluster | MongoCluster)}

    def is_ready(self, name: str) -> bool:
        """Whether a service says so; of Kafka and MongoDB, whether all services do."""
        names = [name] if name in SERVICES else SERVICES
        return all(self._says_ready(one) for one in names)

    def _says_ready(self, name: str) -> bool:
        status, text = health.ask(urlsplit(self.facts.metrics[name]).netloc, "/readyz")
        if text and not status:
            self.desk.stack.say(f"{name} is asked for its health, and somebody says: {text}")
        return status == HTTPStatus.OK

    def play(self, deed: Coroutine[Any, Any, None]) -> None:
        """Do something on the actors' loop."""
        self.desk.begin(deed).result()

    def jump_s(self) -> float:
        """How far a clock jumps, forwards or backwards."""
        return self.chance.uniform(*self.lengths.jump) * self.chance.choice([-1, 1])
