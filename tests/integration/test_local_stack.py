import asyncio
import imaplib
import json
import os
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from pymongo import MongoClient

from deploy.local import folders, ports
from deploy.local.offsets import topic_states
from deploy.local.providers.choice import no_progress
from deploy.local.providers.embedded_kafka import EmbeddedKafka
from deploy.local.providers.embedded_mongo import EmbeddedMongo
from deploy.local.topics import create_topics
from shared.contracts.topics import MAIL_RECEIVED, TOPICS

pytestmark = pytest.mark.stack

GROUP = "reader-of-the-local-stack"


@pytest.fixture
def a_kafka(tmp_path: Path) -> Iterator[Callable[[], EmbeddedKafka]]:
    made: list[EmbeddedKafka] = []

    def make() -> EmbeddedKafka:
        server = EmbeddedKafka(
            tmp_path / "kafka",
            cache=folders.cache_dir(),
            log=tmp_path / "kafka.log",
            progress=no_progress,
        )
        made.append(server)
        return server

    yield make
    for server in made:
        server.stop()


@pytest.fixture
def a_mongo(tmp_path: Path) -> Iterator[Callable[[], EmbeddedMongo]]:
    made: list[EmbeddedMongo] = []

    def make() -> EmbeddedMongo:
        server = EmbeddedMongo(tmp_path / "mongo", log=tmp_path / "mongo.log")
        made.append(server)
        return server

    yield make
    for server in made:
        server.stop()


def started(server):
    server.launch()
    server.wait_ready()
    return server


def test_mongodb_undoes_a_transaction_that_is_aborted(mongo: str) -> None:
    with MongoClient(mongo) as client:
        rows = client.local_stack.rows
        with client.start_session() as session:
            session.start_transaction()
            rows.insert_one({"kept": False}, session=session)
            session.abort_transaction()

        assert rows.count_documents({}) == 0


def test_mongodb_leaves_pages_that_change_often_to_its_checkpoints(mongo: str) -> None:
    with MongoClient(mongo) as client:
        storage = client.admin.command("getCmdLineOpts")["parsed"]["storage"]
    options = storage["wiredTiger"]["engineConfig"]["configString"]
    given = dict(pair.split("=") for pair in options.split(","))
    assert int(given["eviction_dirty_target"]) >= 8 * 5
    assert int(given["eviction_updates_target"]) > 10 * 2.5
    assert given["eviction_dirty_trigger"] > given["eviction_dirty_target"]
    assert given["eviction_updates_trigger"] > given["eviction_updates_target"]
    assert storage["syncPeriodSecs"] <= 30


def test_mongodb_keeps_its_data_when_it_starts_again_at_another_port(a_mongo) -> None:
    first = started(a_mongo())
    with MongoClient(first.address) as client:
        client.local_stack.rows.insert_one({"_id": 1})
    first.stop()

    again = started(a_mongo())

    assert again.address != first.address
    with MongoClient(again.address) as client, client.start_session() as session:
        with session.start_transaction():
            client.local_stack.rows.insert_one({"_id": 2}, session=session)
        assert client.local_stack.rows.count_documents({}) == 2


def test_mongodb_comes_back_at_its_port_after_a_crash(a_mongo) -> None:
    server = started(a_mongo())
    with MongoClient(server.address) as client:
        client.local_stack.rows.insert_one({"_id": 1})
        server.kill()
        assert not server.is_alive()

        started(server)

        assert client.local_stack.rows.find_one() == {"_id": 1}


async def write(bootstrap: str, *values: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        for value in values:
            await producer.send(MAIL_RECEIVED.name, value, partition=0)


async def read_one_and_commit(bootstrap: str) -> bytes:
    async with AIOKafkaConsumer(
        MAIL_RECEIVED.name,
        bootstrap_servers=bootstrap,
        group_id=GROUP,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    ) as consumer:
        record = await asyncio.wait_for(consumer.getone(), 60)
        place = TopicPartition(record.topic, record.partition)
        await consumer.commit({place: record.offset + 1})
        return record.value


async def test_kafka_keeps_records_and_offsets_when_it_starts_again_at_another_port(
    a_kafka,
) -> None:
    first = started(a_kafka())
    assert set(await create_topics(first.address)) >= {topic.name for topic in TOPICS}
    await write(first.address, b"one", b"two")
    assert await read_one_and_commit(first.address) == b"one"
    first.stop()

    again = started(a_kafka())

    assert again.address != first.address
    assert await create_topics(again.address) == []
    assert await read_one_and_commit(again.address) == b"two"
    [state] = [s for s in await topic_states(again.address) if s.name == MAIL_RECEIVED.name]
    assert (state.end_offsets[0], state.lag[GROUP]) == (2, 0)


async def test_a_topic_that_nobody_made_is_not_made_by_asking(kafka: str) -> None:
    from aiokafka.admin import AIOKafkaAdminClient

    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()

    await admin.describe_topics(["mistyped"])

    existing = await admin.list_topics()
    await admin.close()
    assert "mistyped" not in existing


def test_kafka_and_mongodb_can_be_run_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deploy.local.providers", str(tmp_path)]
    env = {k: v for k, v in os.environ.items() if k not in {"POSTDESK_KAFKA", "POSTDESK_MONGO"}}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as both:
        assert both.stdout
        shown = [both.stdout.readline() for _ in range(2)]

        both.terminate()
        code = both.wait(60)

    assert [line.partition("=")[0] for line in shown] == [
        "export POSTDESK_KAFKA",
        "export POSTDESK_MONGO",
    ]
    assert code == 0


class AnUp:
    """``postdesk up --json`` as a process, and what it said when it was ready."""

    def __init__(self, state: Path) -> None:
        self.state = state
        env = {k: v for k, v in os.environ.items() if not k.startswith("POSTDESK_")}
        env["COLUMNS"] = "500"
        self.env = env
        self.process: subprocess.Popen[str] | None = None
        self.said: dict[str, Any] = {}

    def start(self) -> None:
        command = self.command("up", "--json", "--smtp", "127.0.0.1:0", "--imap", "127.0.0.1:0")
        with (self.state / "up.log").open("w") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, env=self.env
            )
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, (self.state / "up.log").read_text()
        self.said = json.loads(line)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "deploy.cli", *words, "--state-dir", str(self.state)]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = self.command(*words)
        return subprocess.run(command, capture_output=True, text=True, check=False, env=self.env)

    def left(self) -> list[str]:
        """Names of the parts that still run."""
        return [name for name, pid in self.said["pids"].items() if is_running(pid)]


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def eventually(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnUp]:
    it = AnUp(tmp_path_factory.mktemp("up"))
    it.start()
    yield it
    if it.process and it.process.poll() is None:
        it.process.terminate()
        it.process.wait(60)


def test_up_says_where_everything_is(up: AnUp) -> None:
    assert set(up.said["metrics"]) == {"ingest", "tickets", "sla", "notify", "reports"}
    assert up.said["mailboxes"] == ["support@desk.example", "billing@desk.example"]
    assert {"address", "name", "account"} <= set(up.said["customers"][0])
    assert {"address", "name", "role", "team", "desk_address"} <= set(up.said["agents"][0])
    assert {person["role"] for person in up.said["agents"]} >= {"agent", "lead", "manager"}
    for name in ("smtp", "imap", "outgoing", "kafka"):
        assert ports.is_open(*ports.split_address(up.said[name])), name


def test_one_folder_belongs_to_one_stack(up: AnUp) -> None:
    done = up.run("up")

    assert done.returncode == 1
    assert "is running already" in done.stderr


def test_a_mail_program_writes_to_the_desk_and_reads_its_answer(up: AnUp) -> None:
    customer = up.said["customers"][0]["address"]
    mail = f"From: {customer}\r\nTo: support@desk.example\r\nSubject: hello\r\n\r\nHi\r\n"
    host, port = ports.split_address(up.said["outgoing"])
    with smtplib.SMTP(host, port) as client:
        client.login(customer, "anything")
        client.sendmail(customer, ["support@desk.example"], mail)

    def answer() -> bytes:
        with imaplib.IMAP4(*ports.split_address(up.said["imap"])) as reader:
            reader.login(customer, "anything")
            return (
                reader.fetch("1", "(BODY.PEEK[])")[1][0][1] if int(reader.select()[1][0]) else b""
            )

    assert b"[T-1] hello" in eventually(answer)
    [row] = json.loads(up.run("inbox", customer, "--json").stdout)
    assert row["subject"].endswith("[T-1] hello")


def test_the_doctor_finds_a_fresh_stack_well(up: AnUp) -> None:
    found = json.loads(up.run("doctor", "--json").stdout)

    ill = [row for row in found if row["level"] == "error"]
    assert ill == []
    assert "skipped" not in {row["level"] for row in found}


def test_what_is_killed_comes_back(up: AnUp) -> None:
    before = up.said["pids"]

    os.kill(before["tickets"], signal.SIGKILL)

    def is_back() -> bool:
        status = up.run("status", "--json")
        pids = json.loads(status.stdout)["pids"] if status.stdout else before
        return status.returncode == 0 and pids["tickets"] != before["tickets"]

    assert eventually(is_back)
    up.said["pids"] = json.loads(up.run("status", "--json").stdout)["pids"]


# A parent's death is told to its children by Linux alone (prctl PR_SET_PDEATHSIG).
@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's alone")
def test_a_stack_that_is_killed_leaves_nothing_behind(up: AnUp) -> None:
    assert up.process

    up.process.kill()
    up.process.wait()

    assert eventually(lambda: not up.left()), up.left()
    assert "No stack is running" in up.run("status").stderr


def test_a_stack_that_starts_again_has_its_mail_and_its_keys(up: AnUp) -> None:
    keys = (up.state / "keys.json").read_text()
    agents = up.said["agents"]

    up.start()

    assert (up.state / "keys.json").read_text() == keys
    assert up.said["agents"] == agents
    topics = {row["topic"]: row for row in json.loads(up.run("topics", "--json").stdout)}
    assert topics["mail-received"]["records"] == 1
    assert topics["mail-received"]["lag"] == {"tickets": 0}


def test_down_ends_all_of_it(up: AnUp) -> None:
    assert up.process

    done = up.run("down")

    assert done.returncode == 0
    assert up.process.wait(10) == 0
    assert up.left() == []
    assert not (up.state / "stack.json").exists()
