"""FastStream's Kafka broker, set up once: its defaults lose records, these settings do not."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRebalanceListener
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER
from faststream.middlewares import AckPolicy

from shared.bus.pace import PROMPT, Pace

FETCH_BYTES = 8 * 1024 * 1024
SESSION_MS = 10_000
REQUEST_MS = 10_000
STOP_S = 10.0


@dataclass(frozen=True)
class Subscription:
    """Who reads what; ``member_id`` makes the membership static."""

    servers: list[str]
    client_id: str
    group: str
    member_id: str | None
    topics: tuple[str, ...]
    pace: Pace = PROMPT


def subscribed(
    wanted: Subscription,
    on_record: Callable[[Any], Awaitable[None]],
    on_rebalance: ConsumerRebalanceListener,
) -> tuple[KafkaBroker, Any]:
    """Give a broker to start and its subscriber; ``on_record`` gets the records of aiokafka.

    Not FastStream's batches: with those an idle reader polls and sleeps in turns, while this one
    is woken by the first record and takes the others itself. Nothing is committed by itself.
    """
    broker = KafkaBroker(
        wanted.servers,
        client_id=wanted.client_id,
        consumer_only=True,
        allow_auto_create_topics=False,
        ack_policy=AckPolicy.MANUAL,
        graceful_timeout=STOP_S,
        request_timeout_ms=REQUEST_MS,
        apply_types=False,
        logger=logging.getLogger("shared.bus.faststream"),
        log_level=logging.DEBUG,
    )
    subscriber = broker.subscriber(
        *wanted.topics,
        group_id=wanted.group,
        group_instance_id=wanted.member_id,
        auto_offset_reset="earliest",
        session_timeout_ms=SESSION_MS,
        fetch_max_wait_ms=wanted.pace.fetch_ms,
        fetch_min_bytes=wanted.pace.fetch_bytes,
        fetch_max_bytes=FETCH_BYTES,
        listener=on_rebalance,
        no_reply=True,
        parser=_as_it_came,
        decoder=_raw,
    )
    subscriber(on_record)
    return broker, subscriber


async def _as_it_came(record: Any) -> KafkaMessage:
    """Wrap the record unread: FastStream's own parser fails on headers that are not text."""
    return KafkaMessage(body=b"", raw_message=record, consumer=FAKE_CONSUMER)


async def _raw(message: KafkaMessage) -> Any:
    return message.raw_message
