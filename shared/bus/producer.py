"""One idempotent producer that is replaced as soon as it cannot be trusted.

aiokafka's idempotent producer waits for ever while Kafka is away (aiokafka#1101), and after a
non-retriable answer refuses every later record of the partition (aiokafka#1017). So each call has
its own time limit, and after any failure the producer is thrown away and a new one is made.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from shared.bus.errors import PublishError
from shared.bus.records import Headers
from shared.logs import describe

Encoded = tuple[str, bytes, bytes | None, Headers]
"""Topic, key, value and headers of a record."""

REQUEST_MS = 10_000
PUBLISH_S = 15.0
CLOSE_S = 1.0
CLOSE_TRIES = 3
BATCH_BYTES = 512 * 1024

_log = structlog.get_logger(__name__)


class Producer:
    """Publishes batches; safe to call from several tasks."""

    def __init__(
        self, servers: Sequence[str], client_id: str, *, publish_s: float = PUBLISH_S
    ) -> None:
        self._servers = list(servers)
        self._client_id = client_id
        self._publish_s = publish_s
        self._producer: Any = None
        self._changing = asyncio.Lock()
        self._partition_of = DefaultPartitioner()

    async def publish(self, records: Sequence[Encoded]) -> None:
        """Return when all are acknowledged; records of one key keep their order.

        Raises `PublishError` if not, at the latest after the time limit: the result is then
        unknown, each record may be on its topic or not, and publishing again is right.
        """
        producer = None
        try:
            async with asyncio.timeout(self._publish_s):
                producer = await self._current()
                await self._send(producer, records)
        except (KafkaError, OSError, AssertionError) as error:
            await self._drop(producer)
            raise PublishError(describe(error)) from error
        except asyncio.CancelledError:
            await asyncio.shield(self._drop(producer))
            raise

    async def is_answering(self, timeout_s: float = 5.0) -> bool:
        """Say whether a broker answers with the cluster's metadata."""
        try:
            async with asyncio.timeout(timeout_s):
                producer = await self._current()
                return bool(await producer.client.force_metadata_update())
        except (KafkaError, OSError):
            return False

    async def close(self) -> None:
        """Close the connections; what is not acknowledged is given up."""
        await self._drop(self._producer)

    async def _current(self) -> Any:
        async with self._changing:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._servers,
                    client_id=self._client_id,
                    acks="all",
                    enable_idempotence=True,
                    linger_ms=0,
                    max_batch_size=BATCH_BYTES,
                    request_timeout_ms=REQUEST_MS,
                )
                try:
                    await producer.start()
                except BaseException:
                    await asyncio.shield(_discard(producer))
                    raise
                self._producer = producer
            return self._producer

    async def _send(self, producer: Any, records: Sequence[Encoded]) -> None:
        waiting = []
        for (topic, partition), batch in (await self._by_partition(producer, records)).items():
            builder = producer.create_batch()
            for key, value, headers in batch:
                if builder.append(timestamp=None, key=key, value=value, headers=headers) is None:
                    waiting.append(await producer.send_batch(builder, topic, partition=partition))
                    builder = producer.create_batch()
                    builder.append(timestamp=None, key=key, value=value, headers=headers)
            waiting.append(await producer.send_batch(builder, topic, partition=partition))
        await asyncio.gather(*waiting)

    async def _by_partition(
        self, producer: Any, records: Sequence[Encoded]
    ) -> dict[tuple[str, int], list[tuple[bytes, bytes | None, Headers]]]:
        batches: dict[tuple[str, int], list[tuple[bytes, bytes | None, Headers]]] = {}
        partitions = {
            topic: sorted(await producer.partitions_for(topic))
            for topic in {topic for topic, *_ in records}
        }
        for topic, key, value, headers in records:
            partition = self._partition_of(key, partitions[topic], partitions[topic])
            batches.setdefault((topic, partition), []).append((key, value, headers))
        return batches

    async def _drop(self, producer: Any) -> None:
        async with self._changing:
            if producer is None or producer is not self._producer:
                return
            self._producer = None
            # Only when the old one is silent may a new one start, or old records could follow new.
            await _discard(producer)


async def _discard(producer: Any) -> None:
    """Silence a producer: nothing that it still holds may reach Kafka later.

    Its own ``stop`` flushes first, which never ends while Kafka is away; aiokafka has no public
    way to end one without.
    """
    sender = producer._sender.sender_task  # noqa: SLF001
    ending = [asyncio.create_task(producer.client.close())]
    if sender is not None:
        ending.append(sender)
    for _ in range(CLOSE_TRIES):
        if sender is not None:
            # Once ends its loop, which then waits for requests in flight; once more ends those.
            sender.cancel()
        if not (await asyncio.wait(ending, timeout=CLOSE_S))[1]:
            break
    else:
        _log.warning("producer not closed cleanly")
    producer._closed = True  # noqa: SLF001
