"""Kafka and MongoDB as containers, through testcontainers, where an engine answers."""

import hashlib
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.local import ports, process
from deploy.local.errors import StackError
from deploy.local.providers.replica_set import SET_NAME, TRANSACTION_S, ensure_member

KAFKA_IMAGE = "apache/kafka:4.1.1"
MONGO_IMAGE = "mongo:7.0"
ENGINE_ANSWER_S = 2
START_S = 120.0
CLUSTER_ID = "cG9zdGRlc2stbG9jYWwtMQ"  # one broker's own; its data volume keeps it
REMEDY = "see 'docker ps -a' and 'docker logs'; or stop Docker, then the embedded one is used."


def engine_answers() -> bool:
    """Say whether testcontainers is installed and a Docker engine answers within seconds."""
    try:
        import docker
        import testcontainers.core.container  # noqa: F401 - only whether it is there
    except ImportError:
        return False
    try:
        client = docker.from_env(timeout=ENGINE_ANSWER_S)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except (docker.errors.DockerException, OSError):
        return False


class _Container:
    """One container with one published port, the same inside, and one named volume."""

    kind = "docker"

    def __init__(self, image: str, folder: Path, data_path: str) -> None:
        self._port = ports.free_port()
        self._image = image
        # The volume belongs to the state folder, so that a restarted stack finds its data.
        owner = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
        self._volume = f"postdesk-{owner}-{folder.name}"
        self._data_path = data_path
        self._container: Any = None

    @property
    def pids(self) -> dict[str, int]:
        """The engine's processes are not this user's."""
        return {}

    def _run(self, *, command: list[str] | None = None, env: dict[str, str] | None = None) -> None:
        from testcontainers.core.container import DockerContainer

        self.stop()
        container = DockerContainer(self._image).with_bind_ports(self._port, self._port)
        container.with_volume_mapping(self._volume, self._data_path, "rw").with_envs(**(env or {}))
        if command:
            container.with_command(command)
        try:
            self._container = container.start()
        except Exception as error:
            cause = f"Docker could not run {self._image}: {error}"
            raise StackError(cause, remedy=REMEDY) from error

    def is_alive(self) -> bool:
        """Say whether the engine still runs it."""
        if self._container is None:
            return False
        wrapped = self._container.get_wrapped_container()
        wrapped.reload()
        return bool(wrapped.status == "running")

    def stop(self) -> None:
        """Remove the container; its volume stays."""
        if self._container is not None:
            self._container.stop(delete_volume=False)
            self._container = None


class DockerKafka(_Container):
    """One broker with the settings of the embedded one."""

    name = "kafka"

    def __init__(self, folder: Path) -> None:
        super().__init__(KAFKA_IMAGE, folder, "/var/lib/kafka/data")

    @property
    def address(self) -> str:
        """The bootstrap address."""
        return f"{ports.LOOPBACK}:{self._port}"

    def launch(self) -> None:
        """Start the container; fetching its image the first time takes a while."""
        settings = (Path(__file__).with_name("kafka.properties")).read_text().splitlines()
        pairs = [line.split("=", 1) for line in settings if line and not line.startswith("#")]
        env = {"KAFKA_" + name.upper().replace(".", "_"): value for name, value in pairs}
        env |= {
            "CLUSTER_ID": CLUSTER_ID,
            "KAFKA_LISTENERS": f"PLAINTEXT://0.0.0.0:{self._port},CONTROLLER://127.0.0.1:9093",
            "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{self.address}",
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@127.0.0.1:9093",
            "KAFKA_LOG_DIRS": "/var/lib/kafka/data",
        }
        self._run(env=env)

    def wait_ready(self) -> None:
        """Return when the broker accepts connections and says so in its log."""
        process.wait_until(
            lambda: b"Kafka Server started" in b"".join(self._container.get_logs()),
            None,
            part=f"Kafka ({KAFKA_IMAGE})",
            timeout_s=START_S,
            remedy=REMEDY,
        )


class DockerMongo(_Container):
    """A one-node replica set."""

    name = "mongo"

    def __init__(self, folder: Path) -> None:
        super().__init__(MONGO_IMAGE, folder, "/data/db")

    @property
    def address(self) -> str:
        """The URI."""
        return f"mongodb://{ports.LOOPBACK}:{self._port}/?replicaSet={SET_NAME}"

    def launch(self) -> None:
        """Start the container; fetching its image the first time takes a while."""
        port = str(self._port)
        limit = f"transactionLifetimeLimitSeconds={TRANSACTION_S}"
        listen = ["--bind_ip_all", "--port", port]
        self._run(command=["mongod", "--replSet", SET_NAME, *listen, "--setParameter", limit])

    def wait_ready(self) -> None:
        """Return when it is primary of its set."""
        with MongoClient[dict[str, object]](
            ports.LOOPBACK, self._port, directConnection=True, serverSelectionTimeoutMS=1000
        ) as client:
            process.wait_until(
                lambda: self._is_primary(client),
                None,
                part=f"MongoDB ({MONGO_IMAGE})",
                timeout_s=START_S,
                remedy=REMEDY,
            )

    def _is_primary(self, client: MongoClient[dict[str, object]]) -> bool:
        try:
            ensure_member(client, f"{ports.LOOPBACK}:{self._port}")
            return bool(client.admin.command("hello")["isWritablePrimary"])
        except PyMongoError:
            return False
