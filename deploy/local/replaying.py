"""Writes the history of the tickets on a topic, for a subscriber that comes later."""

from collections.abc import AsyncIterator
from dataclasses import replace

from aiokafka.errors import KafkaError

from deploy.local.errors import StackError
from deploy.local.history import History
from deploy.local.topics import create_topics
from shared.bus import BusError, Outgoing
from shared.bus.producer import Encoded, Producer
from shared.bus.records import encode
from shared.contracts.base import Meta
from shared.contracts.ticket import TicketEvent
from shared.contracts.topics import TICKET_EVENTS, TOPICS

RECORDS_AT_ONCE = 500
_OWN = {name for topic in TOPICS for name in (topic.name, topic.dead_letter_name)}


async def replay(history: History, kafka: str, topic: str) -> int:
    """Write all events of all tickets on the topic, each ticket's in order; give how many.

    They are the records that were published, with the same ids and keys. A topic that is not there
    is made, like ``ticket-events``. Once more writes them once more.

    Raises:
        StackError: the topic is one of the desk's own, or Kafka does not take the records.
    """
    if topic in _OWN:
        raise StackError(
            f"{topic} has readers already, who would get all events once more.",
            remedy="name a topic of its own; it is made if it is not there.",
        )
    producer = Producer(kafka.split(","), "postdesk-replay")
    count = 0
    try:
        await create_topics(kafka, [replace(TICKET_EVENTS, name=topic, dead_letters=False)])
        async for records in _records(history, topic):
            await producer.publish(records)
            count += len(records)
    except (KafkaError, BusError, OSError) as error:
        done = f"{count} events are written, the rest is not: {error}"
        raise StackError(done, remedy="give the command again; readers drop repeats.") from error
    finally:
        await producer.close()
    return count


async def _records(history: History, topic: str) -> AsyncIterator[list[Encoded]]:
    async for tickets in history.tickets():
        events = await history.events(tickets)
        published = (_published(*one) for of_one in events.values() for one in of_one)
        records = [(topic, *encode(one)) for one in published]
        for start in range(0, len(records), RECORDS_AT_ONCE):
            yield records[start : start + RECORDS_AT_ONCE]


def _published(event: TicketEvent, meta: Meta) -> Outgoing:
    return Outgoing(TICKET_EVENTS, event.ticket_id, event, meta)
