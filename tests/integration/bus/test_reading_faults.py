import asyncio
import itertools
import signal
import sys
import time
import uuid
from asyncio.subprocess import PIPE
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from structlog.testing import capture_logs

from shared import mongo as mongodb
from shared.bus import Bus, Pace, Patience, Received
from shared.bus.bus import PRESSING_RECORDS
from shared.bus.subscribing import STOP_S
from shared.company import STEP_S
from shared.contracts.topics import Topic
from shared.mongo import Session
from tests.bus_records import a_note, until

pytestmark = pytest.mark.stack

MANY = 40
STANDS_BACK_S = 2.0
QUICK = Patience(first_pause=0.01, longest_pause=0.1)


class Notes:
    def __init__(self) -> None:
        self.texts: list[str] = []

    async def __call__(self, batch: list[Received[Any]]) -> None:
        self.texts += [one.record.text for one in batch]


def two_processes(kafka: str, topic: Topic) -> tuple[list[Bus], list[Notes]]:
    """Buses of one group, not started yet, and what each of them is given."""
    group, notes = a_group(), [Notes(), Notes()]
    buses = [Bus(kafka=kafka, service=group, instance=str(n)) for n in range(2)]
    for bus, note in zip(buses, notes, strict=True):
        bus.batches(topic, note)
    return buses, notes


def a_group() -> str:
    return f"readers-{uuid.uuid4().hex[:8]}"


async def test_a_process_killed_in_the_middle_of_a_batch_loses_nothing(kafka, new_topic) -> None:
    topic, group, notes = await new_topic(kafka), a_group(), Notes()
    successor = Bus(kafka=kafka, service=group, instance="1")
    successor.batches(topic, notes)
    await successor.publish([a_note(topic, str(n)) for n in range(100)])
    program = ["-m", "tests.integration.bus.hanging_reader", kafka, topic.name, group]
    reader = await asyncio.create_subprocess_exec(sys.executable, *program, stdout=PIPE)
    assert await reader.stdout.readline()

    reader.kill()
    await reader.wait()
    await successor.start()
    await until(lambda: len(notes.texts) >= 100)
    await successor.stop()

    assert sorted(notes.texts, key=int) == [str(n) for n in range(100)]


async def test_two_processes_share_the_partitions_and_lose_nothing(kafka, new_topic) -> None:
    topic = await new_topic(kafka)
    buses, notes = two_processes(kafka, topic)

    await buses[0].start()
    await buses[0].publish([a_note(topic, str(n)) for n in range(50)])
    joining = asyncio.create_task(buses[1].start())
    for start in range(50, 500, 50):
        await buses[0].publish([a_note(topic, str(n)) for n in range(start, start + 50)])
    await joining
    await buses[0].publish([a_note(topic, str(n)) for n in range(500, 600)])
    await until(lambda: len({*notes[0].texts, *notes[1].texts}) == 600)
    for bus in buses:
        await bus.stop()

    assert notes[0].texts
    assert notes[1].texts


async def test_no_commit_is_refused_while_the_group_is_joined_anew(kafka, new_topic) -> None:
    topic, group, notes = await new_topic(kafka), a_group(), Notes()
    bus = Bus(kafka=kafka, service=group, instance="1")
    bus.batches(topic, notes)
    # The group is complete again when the slow one has asked: ours has joined long before.
    slow = AIOKafkaConsumer(
        topic.name, bootstrap_servers=kafka, group_id=group, heartbeat_interval_ms=4_500
    )
    third = AIOKafkaConsumer(topic.name, bootstrap_servers=kafka, group_id=group)

    async def publish_all_the_time() -> None:
        for number in itertools.count():
            await bus.publish([a_note(topic, f"{number}-{key}", key=key) for key in "abcdefgh"])

    await bus.start()
    await slow.start()
    publishing = asyncio.create_task(publish_all_the_time())
    with capture_logs() as logged:
        await third.start()
        after_joining = len(notes.texts)
        await until(lambda: len(notes.texts) > after_joining + 100)
    publishing.cancel()
    assert notes.texts
    for reader in (third, slow, bus):
        await reader.stop()

    assert [line for line in logged if line["event"] == "offsets not committed"] == []


async def test_what_is_done_is_committed_before_another_gets_the_partition(
    kafka, new_topic, monkeypatch
) -> None:
    monkeypatch.setattr("shared.bus.committing.INTERVAL_S", 3600)
    topic = await new_topic(kafka)
    buses, notes = two_processes(kafka, topic)
    await buses[0].start()
    await buses[0].publish([a_note(topic, "first")])
    await until(lambda: buses[0].done)
    await buses[0].publish([a_note(topic, str(n)) for n in range(20)])
    await until(lambda: buses[0].done == 21)

    await buses[1].start()
    await buses[0].publish([a_note(topic, f"later-{n}") for n in range(20)])
    await until(lambda: len({*notes[0].texts, *notes[1].texts}) == 41)
    for bus in buses:
        await bus.stop()

    assert len([*notes[0].texts, *notes[1].texts]) == 41


async def test_a_release_that_reads_one_topic_more_gets_it(kafka, new_topic, monkeypatch) -> None:
    monkeypatch.setattr(
        "shared.bus.subscribing.SESSION_MS", 6_000
    )  # the least that a broker allows
    old, new, group = await new_topic(kafka), await new_topic(kafka), a_group()
    before = Bus(kafka=kafka, service=group, instance="1")
    before.batches(old, Notes())
    await before.start()
    await before.stop()

    of_old, of_new = Notes(), Notes()
    after = Bus(kafka=kafka, service=group, instance="1")
    after.batches(old, of_old)
    after.batches(new, of_new)
    await after.start()
    await after.publish([a_note(old, "a"), a_note(new, "b")])
    await until(lambda: of_old.texts and of_new.texts)
    await after.stop()

    assert (of_old.texts, of_new.texts) == (["a"], ["b"])


async def test_while_many_come_others_are_waited_for_as_long_as_some_come(kafka, new_topic) -> None:
    topic, sizes = await new_topic(kafka), []

    async def handle(batch: list[Received[Any]]) -> None:
        sizes.append(len(batch))
        if len(batch) == MANY:
            others.append(asyncio.create_task(publish_others()))

    async def publish_others() -> None:
        for number in range(4):
            await bus.publish([a_note(topic, f"other-{number}", key="k")])
            await asyncio.sleep(STEP_S / 2)

    others: list[asyncio.Task[None]] = []
    bus = Bus(kafka=kafka, service=a_group())
    bus.batches(topic, handle)
    await bus.publish([a_note(topic, f"many-{n}", key="k") for n in range(MANY)])
    await bus.start()
    await until(lambda: sum(sizes) == MANY + 4)
    await bus.stop()

    assert sizes == [MANY, 4]


async def test_who_stands_back_leaves_records_alone_while_many_come(kafka, new_topic) -> None:
    topic, ages_s = await new_topic(kafka), {}

    async def handle(batch: list[Received[Any]]) -> None:
        for one in batch:
            ages_s[one.record.text] = time.time() - published[one.record.text]
        if len(batch) >= PRESSING_RECORDS:
            await publish("young")

    async def publish(*texts: str) -> None:
        published.update(dict.fromkeys(texts, time.time()))
        await bus.publish([a_note(topic, text, key="k") for text in texts])

    published: dict[str, float] = {}
    bus = Bus(kafka=kafka, service=a_group(), pace=Pace(stands_back_s=STANDS_BACK_S))
    bus.batches(topic, handle)
    await bus.start()
    await publish("first")
    await until(lambda: bus.done == 1)
    await publish(*(f"many-{n}" for n in range(MANY)))
    await until(lambda: "young" in ages_s)
    await publish("alone")
    await until(lambda: "alone" in ages_s)
    await bus.stop()

    assert ages_s["young"] >= STANDS_BACK_S
    assert max(ages_s[text] for text in ("first", "alone")) < STANDS_BACK_S


async def test_a_process_that_stands_back_can_be_stopped_and_loses_nothing(
    kafka, new_topic
) -> None:
    topic, group, notes = await new_topic(kafka), a_group(), Notes()

    async def handle(batch: list[Received[Any]]) -> None:
        await notes(batch)
        if len(batch) >= PRESSING_RECORDS:
            await bus.publish([a_note(topic, "later", key="k")])

    bus = Bus(kafka=kafka, service=group, instance="1", pace=Pace(stands_back_s=3600))
    bus.batches(topic, handle)
    await bus.start()
    await bus.publish([a_note(topic, str(n), key="k") for n in range(MANY)])
    await until(lambda: len(notes.texts) == MANY and bus._in_hand)
    lag = await bus.lag()

    async with asyncio.timeout(STOP_S):  # so long it waits for a batch that is being handled
        await bus.stop()
    successor = Bus(kafka=kafka, service=group, instance="1")
    successor.batches(topic, notes)
    await successor.start()
    await until(lambda: "later" in notes.texts)
    await successor.stop()

    assert lag == {topic.name: 1}
    assert len(notes.texts) == MANY + 1


async def test_the_lag_is_what_has_not_been_handled(kafka, new_topic) -> None:
    topic, hold = await new_topic(kafka), asyncio.Event()

    async def handle(_batch: list[Any]) -> None:
        await hold.wait()

    bus = Bus(kafka=kafka, service=a_group())
    bus.batches(topic, handle)
    await bus.start()
    await bus.publish([a_note(topic, str(n)) for n in range(20)])
    await until(lambda: bus._in_hand)
    held = await bus.lag()
    hold.set()
    await until(lambda: bus.done == 20)
    done = await bus.lag()
    await bus.stop()

    assert (held[topic.name], done[topic.name]) == (20, 0)


async def test_while_mongodb_is_away_records_wait_and_none_is_given_up(
    kafka, own_mongo, new_topic
) -> None:
    topic = await new_topic(kafka)
    client = mongodb.connect(own_mongo.address)
    stored = client.get_database("test")["stored"]

    async def store(batch: list[Received[Any]]) -> None:
        async def write(session: Session) -> None:
            documents = [{"_id": one.record.text} for one in batch]
            await stored.insert_many(documents, session=session)

        await mongodb.transaction(client, write, retry_s=0.5)

    bus = Bus(
        kafka=kafka,
        service=a_group(),
        are_dependencies_up=lambda: mongodb.is_answering(client),
        patience=QUICK,
    )
    bus.batches(topic, store)
    await bus.start()
    await bus.publish([a_note(topic, str(n)) for n in range(20)])
    await until(lambda: bus.done == 20)

    own_mongo.kill()
    await bus.publish([a_note(topic, str(n)) for n in range(20, 40)])
    await until(lambda: bus.trouble)
    own_mongo.launch()
    await asyncio.to_thread(own_mongo.wait_ready)
    await until(lambda: bus.done == 40)

    assert await stored.count_documents({}) == 40
    assert bus._around.halted is False
    assert not bus.trouble
    await bus.stop()
    client.close()


async def test_a_broker_that_was_frozen_is_read_on_afterwards(own_kafka, new_topic) -> None:
    topic, notes = await new_topic(own_kafka.address), Notes()
    bus = Bus(kafka=own_kafka.address, service=a_group(), instance="1", patience=QUICK)
    bus.batches(topic, notes)
    await bus.start()
    await bus.publish([a_note(topic, "before")])
    await until(lambda: notes.texts)

    broker = own_kafka._child.popen
    broker.send_signal(signal.SIGSTOP)
    await asyncio.sleep(1)  # long enough for requests to be in flight unanswered
    broker.send_signal(signal.SIGCONT)
    await bus.publish([a_note(topic, "after")])
    await until(lambda: "after" in notes.texts)
    await bus.stop()

    assert notes.texts.count("before") == 1
