"""A client that is not Python: Kafka's own console consumer reads what the bus publishes."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local import folders
from deploy.local.providers.choice import no_progress
from deploy.local.providers.embedded_kafka import EmbeddedKafka
from shared.bus import Bus, Outgoing
from shared.contracts import generate
from shared.contracts.base import Meta
from shared.contracts.topics import RECORDS, Topic

pytestmark = pytest.mark.stack

ALL = Topic(
    name="read-by-the-console-consumer",
    key="as in the example",
    owner="tests",
    readers=("tests",),
    records=tuple(RECORDS.values()),
    partitions=1,
)
BETWEEN_HEADERS, BETWEEN_PARTS = "<h>", "<p>"


def outgoing(example: dict[str, Any]) -> Outgoing:
    headers = example["headers"]
    meta = Meta(
        id=headers["ce_id"],
        source=headers["ce_source"],
        time=headers["ce_time"],
        subject=headers.get("ce_subject", ""),
        correlation_id=headers.get("ce_correlationid", ""),
        causation_id=headers.get("ce_causationid", ""),
    )
    record = RECORDS[headers["ce_type"]].model_validate(example["value"])
    return Outgoing(ALL, example["key"], record, meta)


async def create_topic(kafka: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(ALL.name, ALL.partitions, 1)])
    finally:
        await admin.close()


def console_consumer(kafka: str, folder: Path, *, records: int) -> list[str]:
    """Lines that ``kafka-console-consumer`` prints for the topic."""
    runtime = EmbeddedKafka(
        folder, cache=folders.cache_dir(), log=folder / "log", progress=no_progress
    )
    runtime.prepare()
    properties = {
        "print.headers": "true",
        "print.key": "true",
        "headers.separator": BETWEEN_HEADERS,
        "key.separator": BETWEEN_PARTS,
    }
    command = runtime.java(
        "org.apache.kafka.tools.consumer.ConsoleConsumer",
        *("--bootstrap-server", kafka, "--topic", ALL.name, "--from-beginning"),
        *("--max-messages", str(records), "--timeout-ms", "30000"),
        *(word for k, v in properties.items() for word in ("--property", f"{k}={v}")),
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=90)
    assert done.returncode == 0, done.stderr[-3000:]
    return [line for line in done.stdout.splitlines() if BETWEEN_PARTS in line]


async def test_kafkas_own_console_consumer_reads_every_golden_example(
    kafka: str, tmp_path: Path
) -> None:
    examples = list(generate.examples().values())
    await create_topic(kafka)
    bus = Bus(kafka=kafka, service="tests")
    await bus.publish([outgoing(example) for example in examples])
    await bus.stop()

    lines = console_consumer(kafka, tmp_path, records=len(examples))

    assert len(lines) == len(examples)
    for line, example in zip(lines, examples, strict=True):
        headers, key, value = line.split(BETWEEN_PARTS, 2)
        record = RECORDS[example["headers"]["ce_type"]]
        assert dict(pair.split(":", 1) for pair in headers.split(BETWEEN_HEADERS)) == example["headers"]  # fmt: skip
        assert key == example["key"]
        assert record.model_validate_json(value) == record.model_validate(example["value"])
