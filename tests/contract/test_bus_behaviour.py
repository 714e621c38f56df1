"""What a bus promises, asked of the one in memory and of the one on real Kafka."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.bus import Bus, Outgoing, Patience, PermanentError, Received, TransientError, encode
from shared.bus.memory import MemoryBus, MemoryKafka
from shared.contracts.topics import Topic
from tests.bus_records import Noted, a_meta, a_note, a_topic, until

QUICK = Patience(first_pause=0.01, longest_pause=0.05)


@dataclass
class Stage:
    """A way to make buses, and to write to and look at topics without one."""

    make: Callable[[str], Any]
    write: Callable[[str, bytes, bytes | None, list[tuple[str, bytes]]], Awaitable[None]]
    look: Callable[[str], Awaitable[list[Any]]]
    create: Callable[[Topic], Awaitable[None]]
    buses: list[Any] = field(default_factory=list)
    name: str = field(default_factory=lambda: uuid.uuid4().hex[:8])

    def bus(self, service: str = "readers") -> Any:
        """A bus whose consumer group is this test's own."""
        self.buses.append(self.make(f"{service}-{self.name}"))
        return self.buses[-1]

    async def topic(self, **kind: bool) -> Topic:
        topic = a_topic(**kind)
        await self.create(topic)
        return topic


def in_memory() -> Stage:
    kafka = MemoryKafka()

    async def look(topic: str) -> list[Any]:
        return kafka.topics[topic]

    async def create(_: Topic) -> None:
        return

    async def write(topic: str, *record: Any) -> None:
        await kafka.append([(topic, *record)])

    return Stage(
        lambda service: MemoryBus(kafka, service=service, patience=QUICK), write, look, create
    )


def on_kafka(address: str) -> Stage:
    async def create(topic: Topic) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=address)
        await admin.start()
        names = (topic.name, topic.dead_letter_name)
        await admin.create_topics([NewTopic(name, topic.partitions, 1) for name in names])
        await admin.close()

    async def write(topic: str, key: bytes, value: bytes | None, headers: Any) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=address)
        await producer.start()
        await producer.send_and_wait(topic, value, key, headers=headers)
        await producer.stop()

    async def look(topic: str) -> list[Any]:
        consumer = AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest")
        await consumer.start()
        places = [TopicPartition(topic, p) for p in range(a_topic().partitions)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends, found = await consumer.end_offsets(places), []
        while len(found) < sum(ends.values()):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += records
        await consumer.stop()
        return found

    def make(service: str) -> Bus:
        return Bus(kafka=address, service=service, instance="1", patience=QUICK)

    return Stage(make, write, look, create)


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.stack)])
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    stage = in_memory() if request.param == "memory" else on_kafka(request.getfixturevalue("kafka"))
    yield stage
    for bus in stage.buses:
        await bus.stop()


class Notes:
    """A handler that keeps what it is given."""

    def __init__(self, refuse: Callable[[list[str]], None] = lambda _: None) -> None:
        self.batches: list[list[Received[Noted]]] = []
        self.refuse = refuse
        self.refused = 0

    async def __call__(self, batch: list[Received[Any]]) -> None:
        try:
            self.refuse([one.record.text for one in batch if one.record])
        except Exception:
            self.refused += 1
            raise
        self.batches.append(list(batch))

    @property
    def received(self) -> list[Received[Any]]:
        return [one for batch in self.batches for one in batch]

    @property
    def texts(self) -> list[str]:
        return [one.record.text for one in self.received]


async def test_what_is_published_is_read_with_key_and_attributes(stage: Stage) -> None:
    topic, notes, bus = await stage.topic(), Notes(), stage.bus()
    bus.batches(topic, notes)
    sent = Outgoing(topic, "T-7", Noted(text="hi"), a_meta("e-1", correlation_id="c-1"))

    await bus.publish([sent])
    await bus.start()
    await until(lambda: notes.received)

    (received,) = notes.received
    assert (received.key, received.record, received.meta) == ("T-7", sent.record, sent.meta)


async def test_records_of_one_key_keep_their_order(stage: Stage) -> None:
    topic, notes, bus = await stage.topic(), Notes(), stage.bus()
    bus.batches(topic, notes, max_records=7)
    await bus.start()

    for start in (0, 50):
        await bus.publish(
            [a_note(topic, f"{n:03}", key=f"k{n % 3}") for n in range(start, start + 50)]
        )
    await until(lambda: len(notes.received) == 100)

    for key in ("k0", "k1", "k2"):
        of_key = [one.record.text for one in notes.received if one.key == key]
        assert of_key == sorted(of_key)


async def test_no_batch_is_larger_than_asked_for(stage: Stage) -> None:
    topic, notes, bus = await stage.topic(), Notes(), stage.bus()
    bus.batches(topic, notes, max_records=7)

    await bus.publish([a_note(topic, str(n)) for n in range(30)])
    await bus.start()
    await until(lambda: len(notes.received) == 30)

    assert max(map(len, notes.batches)) <= 7


async def test_what_was_handled_before_a_stop_is_not_read_again(stage: Stage) -> None:
    topic = await stage.topic()
    before, after = Notes(), Notes()
    first, second = stage.bus(), stage.bus()
    first.batches(topic, before)
    second.batches(topic, after)

    await first.publish([a_note(topic, "a")])
    await first.start()
    await until(lambda: before.received)
    await first.stop()
    await second.publish([a_note(topic, "b")])
    await second.start()
    await until(lambda: after.received)

    assert (before.texts, after.texts) == (["a"], ["b"])


async def test_a_batch_that_waits_at_the_stop_is_read_again(stage: Stage) -> None:
    topic = await stage.topic()

    def away(_texts: list[str]) -> None:
        raise TransientError("away")

    before, after = Notes(away), Notes()
    first, second = stage.bus(), stage.bus()
    first.batches(topic, before)
    second.batches(topic, after)

    await first.publish([a_note(topic, "a"), a_note(topic, "b")])
    await first.start()
    await until(lambda: before.refused)
    await first.stop()
    await second.start()
    await until(lambda: len(after.received) == 2)

    assert sorted(after.texts) == ["a", "b"]


async def test_two_services_each_read_everything(stage: Stage) -> None:
    topic, notes = await stage.topic(), {"sla": Notes(), "notify": Notes()}
    for service, handler in notes.items():
        bus = stage.bus(service)
        bus.batches(topic, handler)
        await bus.start()

    await stage.bus().publish([a_note(topic, "a")])

    await until(lambda: all(handler.received for handler in notes.values()))


async def test_two_topics_of_one_service_reach_their_own_handlers(stage: Stage) -> None:
    one, other = await stage.topic(), await stage.topic()
    of_one, of_other, bus = Notes(), Notes(), stage.bus()
    bus.batches(one, of_one)
    bus.batches(other, of_other)
    await bus.start()

    await bus.publish([a_note(one, "a"), a_note(other, "b")])
    await until(lambda: of_one.received and of_other.received)

    assert (of_one.texts, of_other.texts) == (["a"], ["b"])


async def test_a_topic_has_one_handler(stage: Stage) -> None:
    topic, bus = await stage.topic(), stage.bus()
    bus.batches(topic, Notes())

    with pytest.raises(ValueError, match="has a handler"):
        bus.batches(topic, Notes())


async def test_a_deletion_on_a_compacted_topic_arrives_as_none(stage: Stage) -> None:
    topic, notes, bus = await stage.topic(compacted=True), Notes(), stage.bus()
    bus.batches(topic, notes)
    await bus.start()

    await bus.publish([Outgoing(topic, "account:A-7", None, a_meta())])
    await until(lambda: notes.received)

    assert (notes.received[0].key, notes.received[0].record) == ("account:A-7", None)


async def test_a_dead_letter_is_the_record_as_it_came_with_reason_and_origin(
    stage: Stage,
) -> None:
    topic, bus = await stage.topic(), stage.bus("tickets")

    def refuse(texts: list[str]) -> None:
        if "bad" in texts:
            raise PermanentError("no such ticket")

    notes = Notes(refuse)
    bus.batches(topic, notes)

    await bus.publish([a_note(topic, text) for text in ("a", "bad", "b")])
    await bus.start()
    await until(lambda: len(notes.received) == 2)
    await bus.stop()

    (letter,) = await stage.look(topic.dead_letter_name)
    (origin,) = [one for one in await stage.look(topic.name) if one.key == b"bad"]
    headers = dict(letter.headers)
    assert (letter.key, letter.value) == (origin.key, origin.value)
    assert headers.items() >= dict(origin.headers).items()
    assert {name: headers[name].decode() for name in headers if name.startswith("dlq_")} == {
        "dlq_reason": "PermanentError: no such ticket",
        "dlq_error_class": "shared.bus.errors.PermanentError",
        "dlq_tries": "1",
        "dlq_service": f"tickets-{stage.name}",
        "dlq_topic": topic.name,
        "dlq_partition": str(origin.partition),
        "dlq_offset": str(origin.offset),
        "dlq_timestamp": str(origin.timestamp),
    }


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (b"{", [("ce_type", b"test.noted")]),
        (b"not json at all", []),
        (b"\xff\xfe", [("ce_type", b"\xff")]),
        (None, [("x", b"")]),
    ],
    ids=["broken JSON", "no attributes", "not UTF-8", "no value"],
)
async def test_a_record_that_cannot_be_read_is_not_lost(stage: Stage, value, headers) -> None:
    topic, notes, bus = await stage.topic(), Notes(), stage.bus()
    bus.batches(topic, notes)
    await bus.start()

    await stage.write(topic.name, b"k", value, headers)
    key, good, attributes = encode(a_note(topic, "after", key="k"))
    await stage.write(topic.name, key, good, attributes)
    await until(lambda: notes.received)

    (letter,) = await stage.look(topic.dead_letter_name)
    assert letter.value == value
    assert notes.texts == ["after"]


async def test_a_handler_that_raises_gets_the_batch_again(stage: Stage) -> None:
    topic, bus = await stage.topic(), stage.bus()
    left = [1]

    def refuse(_texts: list[str]) -> None:
        if left[0]:
            left[0] -= 1
            raise RuntimeError("a bug that is gone the next time")

    notes = Notes(refuse)
    bus.batches(topic, notes)

    await bus.publish([a_note(topic, str(n)) for n in range(50)])
    await bus.start()
    await until(lambda: len(notes.received) == 50)

    assert sorted(notes.texts, key=int) == [str(n) for n in range(50)]
    assert notes.refused == 1


async def test_what_arrives_while_a_handler_works_is_the_next_batch(stage: Stage) -> None:
    topic, bus, go_on = await stage.topic(), stage.bus(), asyncio.Event()
    batches: list[list[str]] = []

    async def handle(batch: list[Received[Any]]) -> None:
        batches.append([one.record.text for one in batch])
        await go_on.wait()

    bus.batches(topic, handle)
    await bus.start()

    await bus.publish([a_note(topic, "first", key="k")])
    await until(lambda: batches)
    for n in range(5):
        await bus.publish([a_note(topic, str(n), key="k")])
    go_on.set()
    await until(lambda: sum(map(len, batches)) == 6)

    assert batches[0] == ["first"]
    assert [text for batch in batches[1:] for text in batch] == ["0", "1", "2", "3", "4"]
