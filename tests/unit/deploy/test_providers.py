import hashlib
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest
from jgo.env import LockFile

from deploy.local import ports
from deploy.local.errors import NotReadyError, StackError
from deploy.local.providers import choice, docker, embedded_mongo, jars
from deploy.local.providers.choice import Backends, choose, no_progress
from deploy.local.providers.embedded_kafka import EmbeddedKafka
from deploy.local.providers.given import GivenKafka, GivenMongo


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    state = SimpleNamespace(answers=False)
    monkeypatch.setattr(choice, "_engine_answers", lambda: state.answers)
    return state


def kinds(backends: Backends) -> tuple[str, str]:
    return backends.kafka.kind, backends.mongo.kind


def test_a_given_address_comes_first(tmp_path: Path, engine: SimpleNamespace) -> None:
    engine.answers = True

    chosen = choose(tmp_path, kafka="kafka.example:9092", mongo="mongodb://mongo.example/")

    assert kinds(chosen) == ("given", "given")
    assert chosen.kafka.address == "kafka.example:9092"
    assert chosen.mongo.address == "mongodb://mongo.example/"


def test_docker_comes_second(tmp_path: Path, engine: SimpleNamespace) -> None:
    engine.answers = True

    assert kinds(choose(tmp_path)) == ("docker", "docker")


def test_embedded_comes_last(tmp_path: Path, engine: SimpleNamespace) -> None:
    assert kinds(choose(tmp_path)) == ("embedded", "embedded")


def test_one_may_be_given_and_the_other_not(tmp_path: Path, engine: SimpleNamespace) -> None:
    assert kinds(choose(tmp_path, kafka="kafka.example:9092")) == ("given", "embedded")


class AServer:
    kind = "fake"
    address = ""

    def __init__(self, name: str, diary: list[str], *, fails: bool = False) -> None:
        self.name, self.diary, self.fails = name, diary, fails
        self.pids: dict[str, int] = {}

    def launch(self) -> None:
        self.diary.append(f"launch {self.name}")

    def wait_ready(self) -> None:
        self.diary.append(f"wait {self.name}")
        if self.fails:
            raise NotReadyError("no")

    def is_alive(self) -> bool:
        return True

    def stop(self) -> None:
        self.diary.append(f"stop {self.name}")


def test_both_boot_at_the_same_time() -> None:
    diary: list[str] = []

    Backends(AServer("kafka", diary), AServer("mongo", diary)).start()

    assert diary == ["launch mongo", "launch kafka", "wait mongo", "wait kafka"]


def test_if_one_fails_the_other_is_not_left_running() -> None:
    diary: list[str] = []
    backends = Backends(AServer("kafka", diary, fails=True), AServer("mongo", diary))

    with pytest.raises(NotReadyError):
        backends.start()

    assert sorted(diary[-2:]) == ["stop kafka", "stop mongo"]


def test_a_given_kafka_that_does_not_answer_is_named_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("deploy.local.providers.given.ANSWER_S", 0)
    address = f"127.0.0.1:{ports.free_port()}"

    with pytest.raises(StackError, match=rf"Kafka at {address}(.|\n)*leave --kafka"):
        GivenKafka(address).wait_ready()


def test_a_given_mongodb_that_does_not_answer_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("deploy.local.providers.given.ANSWER_S", 0.05)
    uri = f"mongodb://desk:secret@127.0.0.1:{ports.free_port()}/"

    with pytest.raises(StackError, match=r"MongoDB at 127.0.0.1 does not answer") as caught:
        GivenMongo(uri).wait_ready()

    assert "secret" not in str(caught.value)


def test_a_mongod_that_lacks_a_library_is_explained(tmp_path: Path) -> None:
    program = tmp_path / "mongod"
    program.write_text(
        "#!/bin/sh\necho 'libcurl.so.4: cannot open shared object file' >&2\nexit 127"
    )
    program.chmod(0o755)

    with pytest.raises(StackError, match=r"libcurl.so.4(.|\n)*apt-get install libcurl4"):
        embedded_mongo.check_libraries(program)


def test_every_file_of_kafka_is_pinned_by_its_hash() -> None:
    locked = LockFile.load(jars.LOCK).dependencies

    assert {d.artifactId for d in locked} >= {"kafka_2.13", "kafka-tools", "log4j-slf4j-impl"}
    assert {d.version for d in locked if d.groupId == "org.apache.kafka"} == {"4.1.1"}
    assert all(d.sha256 and len(d.sha256) == 64 for d in locked)


class ARepository:
    """Stands in for jgo's access to the network."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.cache = tmp_path / "cache"
        self.fetched: list[str] = []
        self.content = b"a jar"
        lock = tmp_path / "lock.toml"
        sha256 = hashlib.sha256(b"a jar").hexdigest()
        lock.write_text(
            "[[dependencies]]\n"
            f'groupId = "org.x"\nartifactId = "a"\nversion = "1"\nsha256 = "{sha256}"\n'
        )
        monkeypatch.setattr(jars, "LOCK", lock)
        monkeypatch.setattr(jars, "MavenContext", self._context)

    def _context(self, *, repo_cache: Path, **_: object) -> "ARepository":
        self.repo = repo_cache
        return self

    def project(self, *_: str) -> "ARepository":
        return self

    def at_version(self, _version: str) -> "ARepository":
        return self

    def artifact(self) -> "ARepository":
        return self

    def resolve(self) -> None:
        path = self.repo / "org" / "x" / "a" / "1" / "a-1.jar"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.content)
        self.fetched.append(path.name)


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ARepository:
    return ARepository(monkeypatch, tmp_path)


def test_kafka_is_fetched_once(repository: ARepository) -> None:
    seen: list[tuple[int, int]] = []

    first = jars.kafka_jars(repository.cache, lambda *at: seen.append(at))
    again = jars.kafka_jars(repository.cache, lambda *at: seen.append(at))

    assert first == again
    assert [path.read_bytes() for path in first] == [b"a jar"]
    assert repository.fetched == ["a-1.jar"]
    assert seen == [(1, 1)]


def test_a_file_cut_short_by_a_crash_is_fetched_again(repository: ARepository) -> None:
    part = repository.cache / "maven" / "org" / "x" / "a" / "1" / "a-1.jar"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"a j")

    [jar] = jars.kafka_jars(repository.cache, choice.no_progress)

    assert jar.read_bytes() == b"a jar"


def test_a_file_that_is_not_the_pinned_one_is_refused(repository: ARepository) -> None:
    repository.content = b"something else"

    with pytest.raises(StackError, match="differs from the lock file"):
        jars.kafka_jars(repository.cache, choice.no_progress)

    assert not jars.is_fetched(repository.cache)
    assert len(repository.fetched) == 2


def test_a_cache_that_cannot_be_written_is_explained(repository: ARepository) -> None:
    repository.cache.write_text("a file where the folder should be")

    with pytest.raises(StackError, match=r"cannot be kept in (.|\n)*XDG_CACHE_HOME"):
        jars.kafka_jars(repository.cache, choice.no_progress)


class AContainer:
    """Stands in for testcontainers' DockerContainer."""

    started: ClassVar[list["AContainer"]] = []

    def __init__(self, image: str) -> None:
        self.image = image
        self.ports: dict[int, int] = {}
        self.volumes: dict[str, tuple[str, str]] = {}
        self.env: dict[str, str] = {}
        self.command: list[str] = []
        self.status = "created"

    def with_bind_ports(self, inside: int, outside: int) -> "AContainer":
        self.ports[inside] = outside
        return self

    def with_volume_mapping(self, name: str, path: str, mode: str) -> "AContainer":
        self.volumes[path] = (name, mode)
        return self

    def with_envs(self, **env: str) -> "AContainer":
        self.env.update(env)
        return self

    def with_command(self, command: list[str]) -> "AContainer":
        self.command = command
        return self

    def start(self) -> "AContainer":
        self.status = "running"
        self.started.append(self)
        return self

    def stop(self, *, delete_volume: bool = True) -> None:
        self.status = "removed with its data" if delete_volume else "removed"

    def get_wrapped_container(self) -> "AContainer":
        return self

    def reload(self) -> None: ...

    def get_logs(self) -> tuple[bytes, bytes]:
        return b"[KafkaRaftServer nodeId=1] Kafka Server started", b""


@pytest.fixture
def containers(monkeypatch: pytest.MonkeyPatch) -> list[AContainer]:
    monkeypatch.setattr("testcontainers.core.container.DockerContainer", AContainer)
    AContainer.started = []
    return AContainer.started


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


class AKafka(EmbeddedKafka):
    """Prints what it is told, in two goes, and lives on."""

    program = "import sys,time\nfor word in sys.argv[1:]: print(word, end='', flush=True); time.sleep(.1)\n"

    def __init__(self, folder: Path, *words: str) -> None:
        super().__init__(folder, cache=folder, log=folder / "kafka.log", progress=no_progress)
        self.words = words

    def prepare(self) -> None: ...

    def _format(self, _settings: Path) -> None: ...

    def java(self, _main_class: str, *_arguments: str) -> list[str]:
        return [sys.executable, "-c", self.program + "time.sleep(60)", *self.words]


@pytest.fixture
def launched(tmp_path: Path) -> Iterator[Callable[..., AKafka]]:
    with ExitStack() as undo:

        def launch(*words: str) -> AKafka:
            kafka = AKafka(tmp_path, *words)
            undo.callback(kafka.stop)
            kafka.launch()
            return kafka

        yield launch


def log_ends(kafka: AKafka, text: str) -> bool:
    return (kafka._folder / "kafka.log").read_text().endswith(text)


def test_a_kafka_that_goes_on_with_a_broken_index_is_ended(launched) -> None:
    kafka = launched("ERROR java.lang.Inter", "nalError: a fault occurred\n")

    wait_for(lambda: not kafka.is_alive())

    assert not kafka.child.is_running


def test_what_an_earlier_kafka_logged_does_not_end_the_next(launched) -> None:
    broken = launched("java.lang.InternalError\n")
    wait_for(lambda: not broken.is_alive())

    again = launched("ERROR java.lang.IllegalStateException\n", "ready\n")
    wait_for(lambda: log_ends(again, "ready\n") or not again.is_alive())

    assert again.is_alive()


def test_a_kafka_whose_log_was_removed_is_left_alone(launched) -> None:
    kafka = launched("ready\n")
    wait_for(lambda: log_ends(kafka, "ready\n"))

    (kafka._folder / "kafka.log").unlink()

    assert kafka.is_alive()


def test_kafka_in_docker_has_the_settings_of_the_embedded_one(
    tmp_path: Path, containers: list[AContainer]
) -> None:
    kafka = docker.DockerKafka(tmp_path / "kafka")

    kafka.launch()
    kafka.wait_ready()

    [container] = containers
    port = int(kafka.address.rpartition(":")[2])
    assert container.image == "apache/kafka:4.1.1"
    assert container.ports == {port: port}
    assert container.env["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert container.env["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://{kafka.address}"
    assert container.env["KAFKA_LOG_DIRS"] in container.volumes
    assert kafka.is_alive()


def test_data_in_docker_outlives_the_container_and_is_the_state_folders_own(
    tmp_path: Path, containers: list[AContainer]
) -> None:
    first, again = docker.DockerMongo(tmp_path / "mongo"), docker.DockerMongo(tmp_path / "mongo")
    other = docker.DockerMongo(tmp_path / "other" / "mongo")

    for server in (first, again, other):
        server.launch()
        server.stop()

    volumes = [container.volumes["/data/db"][0] for container in containers]
    assert volumes[0] == volumes[1] != volumes[2]
    assert {container.status for container in containers} == {"removed"}
    assert "--replSet" in containers[0].command


def test_an_engine_that_cannot_run_an_image_is_explained(
    tmp_path: Path, containers: list[AContainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: AContainer) -> None:
        raise RuntimeError("no such image")

    monkeypatch.setattr(AContainer, "start", refuse)

    with pytest.raises(StackError, match=r"could not run apache/kafka:4.1.1: no such image"):
        docker.DockerKafka(tmp_path / "kafka").launch()


def test_no_engine_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{ports.free_port()}")

    assert not docker.engine_answers()
