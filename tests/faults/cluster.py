"""Three Kafka brokers and a MongoDB replica set of three, as processes of this machine.

Each is one server to the stack: it lives while all of its nodes do, and ``launch`` starts those that
have ended, so the supervisor brings killed nodes back.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from confluent_kafka.admin import AdminClient
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local import folders, ports, process
from deploy.local.providers.choice import Backends, no_progress
from deploy.local.providers.embedded_kafka import REMEDY, START_S, EmbeddedKafka, new_cluster_id
from deploy.local.providers.embedded_mongo import EmbeddedMongo
from deploy.local.providers.replica_set import NOT_YET_INITIALIZED, SET_NAME
from shared.contracts.topics import TOPICS

NODES = 3
ANSWER_S = 10.0
ELECTION_MS = 3_000
"""After so long without a primary the others elect one; the default of 10 s only takes longer."""

COPIES = {
    "offsets.topic.replication.factor": 3,
    "transaction.state.log.replication.factor": 3,
    "transaction.state.log.min.isr": 2,
    "share.coordinator.state.topic.replication.factor": 3,
    "share.coordinator.state.topic.min.isr": 2,
    "min.insync.replicas": 2,
}


def cluster_backends(state: Path) -> "tuple[KafkaCluster, MongoCluster, Backends]":
    """Both clusters with their data in this folder, and as what a stack takes."""
    kafka, mongo = KafkaCluster(state), MongoCluster(state)
    return kafka, mongo, Backends(kafka=kafka, mongo=mongo)


class _Broker(EmbeddedKafka):
    """One of several: told who the others are, and that records have three copies."""

    def __init__(self, state: Path, number: int, cluster_id: str) -> None:
        log = state / "logs" / f"kafka-{number}.log"
        folder = state / f"kafka-{number}"
        super().__init__(folder, cache=folders.cache_dir(), log=log, progress=no_progress)
        self.number = number
        self.controller = f"{ports.LOOPBACK}:{ports.free_port()}"
        self.voters = ""
        self._cluster_id = cluster_id

    def _write_settings(self) -> Path:
        """Of two lines for one setting Kafka takes the later one."""
        path = super()._write_settings()
        own: Mapping[str, object] = {
            **COPIES,
            "node.id": self.number,
            "controller.quorum.voters": self.voters,
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://{self.controller}",
        }
        with path.open("a") as file:
            file.writelines(f"{name}={value}\n" for name, value in own.items())
        return path

    def _new_cluster_id(self) -> str:
        return self._cluster_id


class KafkaCluster:
    """Three brokers that are controllers too (KRaft): three copies, two of which must have a record."""

    name = "kafka"
    kind = "embedded"

    def __init__(self, state: Path) -> None:
        cluster_id = new_cluster_id()
        self._brokers = {n: _Broker(state, n, cluster_id) for n in range(1, NODES + 1)}
        voters = ",".join(f"{n}@{broker.controller}" for n, broker in self._brokers.items())
        for broker in self._brokers.values():
            broker.voters = voters

    @property
    def address(self) -> str:
        """The bootstrap addresses."""
        return ",".join(broker.address for broker in self._brokers.values())

    @property
    def pids(self) -> dict[str, int]:
        """The brokers' processes."""
        return {f"kafka-{n}": b.pids["kafka"] for n, b in self._brokers.items() if b.pids}

    def launch(self) -> None:
        """Start the brokers that do not run."""
        for broker in self._brokers.values():
            if not broker.is_alive():
                broker.launch()

    def wait_ready(self) -> None:
        """Return when each broker accepts connections, which it does once it has joined."""
        for broker in self._brokers.values():
            broker.wait_ready()

    def is_alive(self) -> bool:
        """Say whether all brokers run."""
        return all(broker.is_alive() for broker in self._brokers.values())

    def stop(self) -> None:
        """Shut all down together: alone the last ones would wait for the others."""
        children = [b.child for b in self._brokers.values() if b.child]
        process.stop(*children, grace_s=20.0)

    def is_whole(self) -> bool:
        """Say whether every partition has all its copies in step."""
        partitions = self._partitions()
        return bool(partitions) and all(len(p.isrs) == NODES for p in partitions)

    def kill_leader(self) -> str:
        """Kill the broker that most partitions are written to; gives its name."""
        leaders = Counter(p.leader for p in self._partitions() if p.leader in self._brokers)
        number = leaders.most_common(1)[0][0]
        self._brokers[number].kill()
        return f"kafka-{number}"

    def _partitions(self) -> list[Any]:
        names = {topic.name for topic in TOPICS}
        admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        found = admin.list_topics(timeout=ANSWER_S).topics
        return [p for name in names & found.keys() for p in found[name].partitions.values()]


class MongoCluster:
    """A replica set of three."""

    name = "mongo"
    kind = "embedded"

    def __init__(self, state: Path) -> None:
        self._nodes = {
            n: EmbeddedMongo(state / f"mongo-{n}", log=state / "logs" / f"mongo-{n}.log")
            for n in range(1, NODES + 1)
        }
        self._members = {n: urlsplit(node.address).netloc for n, node in self._nodes.items()}

    @property
    def address(self) -> str:
        """The URI."""
        return f"mongodb://{','.join(self._members.values())}/?replicaSet={SET_NAME}"

    @property
    def pids(self) -> dict[str, int]:
        """The nodes' processes."""
        return {f"mongo-{n}": node.pids["mongo"] for n, node in self._nodes.items() if node.pids}

    def launch(self) -> None:
        """Start the nodes that do not run."""
        for node in self._nodes.values():
            if not node.is_alive():
                node.launch()

    def wait_ready(self) -> None:
        """Return when all have found each other and one is primary."""
        process.wait_until(
            lambda: self._initiate() and self.is_whole(),
            None,
            part="MongoDB",
            timeout_s=START_S,
            remedy=REMEDY,
        )

    def is_alive(self) -> bool:
        """Say whether all nodes run."""
        return all(node.is_alive() for node in self._nodes.values())

    def stop(self) -> None:
        """Shut all down."""
        children = [node.child for node in self._nodes.values() if node.child]
        process.stop(*children, grace_s=20.0)

    def is_whole(self) -> bool:
        """Say whether there is a primary and the others follow it."""
        states = Counter(member["stateStr"] for member in self._status().get("members", []))
        return states == {"PRIMARY": 1, "SECONDARY": NODES - 1}

    def kill_primary(self) -> str:
        """Kill the node that is written to; gives its name."""
        found = [m["name"] for m in self._status()["members"] if m["stateStr"] == "PRIMARY"]
        number = next(n for n, member in self._members.items() if member in found)
        self._nodes[number].kill()
        return f"mongo-{number}"

    def _initiate(self) -> bool:
        with self._client(1) as first:
            try:
                first.admin.command("replSetGetStatus")
            except OperationFailure as error:
                if error.code != NOT_YET_INITIALIZED:
                    raise
                first.admin.command("replSetInitiate", self._configuration())
            except PyMongoError:
                return False
        return True

    def _configuration(self) -> dict[str, Any]:
        members = [{"_id": n, "host": member} for n, member in self._members.items()]
        settings = {"electionTimeoutMillis": ELECTION_MS}
        return {"_id": SET_NAME, "members": members, "settings": settings}

    def _status(self) -> dict[str, Any]:
        """As a node sees it that runs."""
        for number, node in self._nodes.items():
            if node.is_alive():
                with self._client(number) as client:
                    try:
                        return dict(client.admin.command("replSetGetStatus"))
                    except PyMongoError:
                        continue
        return {}

    def _client(self, number: int) -> MongoClient[dict[str, Any]]:
        host = self._members[number]
        return MongoClient(host, directConnection=True, serverSelectionTimeoutMS=500)
