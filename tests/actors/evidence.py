"""Reads what the desk holds, straight from its stores and topics, as an auditor would."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition
from pymongo import MongoClient

from shared.contracts.ticket import TicketEvent
from shared.contracts.topics import RECORDS, TICKET_EVENTS, TOPICS
from tests.actors.mails import LEDGER_FIELD, Mail

_LEDGER = re.compile(rb"^" + LEDGER_FIELD.encode() + rb": *(\S+)", re.IGNORECASE | re.MULTILINE)
ANSWER_S = 10.0


def inbound_mails(client: MongoClient[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    """(mail id, mailbox) by ingest's id; a mail that no source of ours sent has an empty id."""
    found = {}
    for row in client["postdesk_ingest"]["inbound"].find({}, {"raw": 1, "mailbox": 1}):
        match = _LEDGER.search(row["raw"] or b"")
        found[row["_id"]] = (match[1].decode() if match else "", row["mailbox"])
    return found


def altered_mails(client: MongoClient[dict[str, Any]], sent: Iterable[Mail]) -> list[str]:
    """Names of mails whose stored bytes are not those that were sent."""
    raw = {mail.id: mail.raw for mail in sent}
    altered = []
    for row in client["postdesk_ingest"]["inbound"].find({}, {"raw": 1}):
        match = _LEDGER.search(row["raw"])
        if match and raw.get(match[1].decode()) != row["raw"]:
            altered.append(f"stored with other bytes: {match[1].decode()} as {row['_id']}")
    return altered


def stored_events(client: MongoClient[dict[str, Any]]) -> list[TicketEvent]:
    """All events of all tickets."""
    rows = client["postdesk_tickets"]["events"].find()
    return [_event(row) for row in rows]


def _event(row: dict[str, Any]) -> TicketEvent:
    event = RECORDS[row["type"]].model_validate(row["data"])
    assert isinstance(event, TicketEvent)
    return event


def published_ids(kafka: str, topic: str = TICKET_EVENTS.name) -> frozenset[str]:
    """Ids of all records on a topic, repeats counted once."""
    return frozenset(dict(headers)["ce_id"].decode() for headers in _records(kafka, topic))


def dead_letters(kafka: str) -> list[str]:
    """Topic and reason of every record that was given up."""
    return [
        f"{topic.name}: {dict(headers).get('dlq_reason', b'').decode()}"
        for topic in TOPICS
        if topic.dead_letters
        for headers in _records(kafka, topic.dead_letter_name)
    ]


def _records(kafka: str, topic: str) -> Iterator[list[tuple[str, bytes]]]:
    """The headers of all records up to the present end."""
    with _consumer(kafka) as consumer:
        partitions = consumer.list_topics(topic, timeout=ANSWER_S).topics[topic].partitions
        left = {}
        for number in partitions:
            where = TopicPartition(topic, number, OFFSET_BEGINNING)
            first, end = consumer.get_watermark_offsets(where, timeout=ANSWER_S)
            if end > first:
                left[number] = end
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in left])
        while left:
            record = consumer.poll(ANSWER_S)
            if record is None:
                raise TimeoutError(f"{topic} has records that do not come")
            if record.error():
                raise KafkaException(record.error())
            yield record.headers() or []
            if record.offset() + 1 >= left.get(record.partition(), 0):
                left.pop(record.partition(), None)


@contextmanager
def _consumer(kafka: str) -> Iterator[Any]:
    consumer = Consumer(
        {"bootstrap.servers": kafka, "group.id": "auditor", "enable.auto.commit": False}
    )
    try:
        yield consumer
    finally:
        consumer.close()
