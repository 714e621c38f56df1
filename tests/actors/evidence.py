"""Reads what the desk holds, straight from its stores and topics, as an auditor would."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition
from pymongo import MongoClient

from shared.contracts.ticket import TicketEvent
from shared.contracts.ticket_state import TicketState
from shared.contracts.topics import RECORDS, TICKET_EVENTS, TOPICS
from tests.actors.books import DeadLetter, Inbound, ReportBooks
from tests.actors.mails import LEDGER_FIELD, Mail

POISON_FIELD = "x-ledger-poison"
"""Header that names a record which was sent to be given up."""

_LEDGER = re.compile(rb"^" + LEDGER_FIELD.encode() + rb": *(\S+)", re.IGNORECASE | re.MULTILINE)
ANSWER_S = 10.0

Client = MongoClient[dict[str, Any]]


def inbound_rows(client: Client, sent: Iterable[Mail]) -> dict[str, Inbound]:
    """Ingest's rows by id, and whether their bytes are those that were sent."""
    raw = {mail.id: mail.raw for mail in sent}
    rows = {}
    for row in client["postdesk_ingest"]["inbound"].find({}, {"raw": 1, "mailbox": 1}):
        match = _LEDGER.search(row["raw"])
        name = match[1].decode() if match else ""
        rows[row["_id"]] = Inbound(name, row["mailbox"], raw.get(name) == row["raw"])
    return rows


def stored_events(client: Client) -> list[TicketEvent]:
    """All events of all tickets."""
    rows = client["postdesk_tickets"]["events"].find()
    return [_event(row) for row in rows]


def ticket_states(client: Client) -> dict[str, TicketState]:
    """The state of each ticket, as tickets has it."""
    rows = client["postdesk_tickets"]["tickets"].find({}, {"state": 1})
    return {row["_id"]: TicketState.model_validate(row["state"]) for row in rows}


def report_books(client: Client) -> ReportBooks:
    """What reports counts."""
    store = client["postdesk_reports"]
    shown = {"seq": 1, "status": 1, "messages": 1}
    tickets = {
        row["_id"]: (row["seq"], row["status"], row["messages"])
        for row in store["tickets"].find({}, shown)
    }
    work = Counter((row["agent"], row["kind"]) for row in store["work"].find())
    return ReportBooks(tickets, work)


def _event(row: dict[str, Any]) -> TicketEvent:
    event = RECORDS[row["type"]].model_validate(row["data"])
    assert isinstance(event, TicketEvent)
    return event


def published_ids(kafka: str, topic: str = TICKET_EVENTS.name) -> list[str]:
    """Ids of all records on a topic but poison; those of one key in their order, with repeats."""
    found = map(dict, _records(kafka, topic))
    return [headers["ce_id"].decode() for headers in found if POISON_FIELD not in headers]


def dead_letters(kafka: str) -> list[DeadLetter]:
    """Every record that was given up."""
    return [
        DeadLetter(
            topic.name,
            headers.get("dlq_service", b"").decode(),
            headers.get(POISON_FIELD, b"").decode(),
            headers.get("dlq_reason", b"").decode(),
        )
        for topic in TOPICS
        if topic.dead_letters
        for headers in map(dict, _records(kafka, topic.dead_letter_name))
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
