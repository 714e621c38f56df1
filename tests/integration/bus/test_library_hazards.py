"""What aiokafka does when the broker is away, and that our producer and reader survive it.

The first half of a test shows the library's behaviour: when it no longer holds, the guard against
it can go. Sources: aiokafka#1101, aiokafka#1017.
"""

import asyncio
import contextlib
import signal
import time

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, OutOfOrderSequenceNumber

from shared.bus import Bus, Patience, PublishError
from shared.bus.producer import Producer, _discard
from tests.bus_records import a_note, until

pytestmark = pytest.mark.stack

REQUEST_MS = 500


def a_record(topic, text: str) -> tuple:
    return topic.name, b"k", text.encode(), []


async def texts_of(kafka: str, topic) -> list[str]:
    """All that lies on the topic, in the order of the one key's partition."""
    from aiokafka import AIOKafkaConsumer

    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    places = [TopicPartition(topic.name, p) for p in range(topic.partitions)]
    consumer.assign(places)
    ends, found = await consumer.end_offsets(places), []
    while len(found) < sum(ends.values()):
        for records in (await consumer.getmany(timeout_ms=200)).values():
            found += [record.value.decode() for record in records]
    await consumer.stop()
    return found


async def test_an_idempotent_producer_waits_for_ever_and_ours_does_not(
    own_kafka, new_topic
) -> None:
    topic = await new_topic(own_kafka.address)
    raw = AIOKafkaProducer(
        bootstrap_servers=own_kafka.address, enable_idempotence=True, request_timeout_ms=REQUEST_MS
    )
    ours = Producer([own_kafka.address], "tests", publish_s=1.0)
    await raw.start()
    await ours.publish([a_record(topic, "before")])
    own_kafka._child.popen.send_signal(signal.SIGSTOP)

    try:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(raw.send_and_wait(topic.name, b"raw"), 5 * REQUEST_MS / 1000)
        started = time.monotonic()
        with pytest.raises(PublishError):
            await ours.publish([a_record(topic, "unknown")])
        took_s = time.monotonic() - started
    finally:
        own_kafka._child.popen.send_signal(signal.SIGCONT)
    await _discard(raw)
    await ours.publish([a_record(topic, "after")])
    await ours.close()

    assert took_s < 10
    found = [text for text in await texts_of(own_kafka.address, topic) if text != "raw"]
    assert found in (["before", "after"], ["before", "unknown", "after"])


async def test_a_sender_that_died_stays_dead_and_ours_is_replaced(own_kafka, new_topic) -> None:
    topic = await new_topic(own_kafka.address)
    raw = AIOKafkaProducer(bootstrap_servers=own_kafka.address, enable_idempotence=True)
    ours = Producer([own_kafka.address], "tests")
    await raw.start()
    await raw.send_and_wait(topic.name, b"1", partition=0)
    await ours.publish([a_record(topic, "1")])

    # A batch that was numbered and never sent, as after a leader was unknown for too long.
    raw._txn_manager.increment_sequence_number(TopicPartition(topic.name, 0), 1)
    for partition in range(topic.partitions):
        place = TopicPartition(topic.name, partition)
        ours._producer._txn_manager.increment_sequence_number(place, 1)

    for _ in range(2):
        with pytest.raises(OutOfOrderSequenceNumber):
            await asyncio.wait_for(raw.send_and_wait(topic.name, b"2", partition=0), 10)
    with contextlib.suppress(KafkaError):
        await raw.stop()
    with pytest.raises(PublishError):
        await ours.publish([a_record(topic, "2")])
    await ours.publish([a_record(topic, "3")])
    await ours.close()


async def test_after_a_broker_was_killed_and_started_again_all_goes_on(
    own_kafka, new_topic
) -> None:
    topic = await new_topic(own_kafka.address)
    texts: list[str] = []

    async def handle(batch: list) -> None:
        texts.extend(one.record.text for one in batch)

    bus = Bus(
        kafka=own_kafka.address,
        service=f"readers-{topic.name}",
        instance="1",
        patience=Patience(first_pause=0.01, longest_pause=0.1),
        publish_s=2.0,
    )
    bus.batches(topic, handle)
    await bus.start()
    await bus.publish([a_note(topic, "before")])
    await until(lambda: texts)

    own_kafka.kill()
    with pytest.raises(PublishError):
        await bus.publish([a_note(topic, "meanwhile")])
    assert not await bus.is_answering()
    own_kafka.launch()
    await asyncio.to_thread(own_kafka.wait_ready)
    while True:
        with contextlib.suppress(PublishError):
            await bus.publish([a_note(topic, "after")])
            break
        await asyncio.sleep(0.1)
    await until(lambda: "after" in texts, seconds=60)
    await bus.stop()

    assert set(texts) <= {"before", "meanwhile", "after"}
