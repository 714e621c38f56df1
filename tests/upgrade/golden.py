"""The state of a desk as files: every document, every record, and how far each reader has read.

Written by ``tests.upgrade.make``, brought back by `restore`. One JSON value a line; MongoDB's values
are Extended JSON, bytes are base64.
"""

import base64
import gzip
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from bson import json_util
from pymongo import MongoClient

from deploy.local.offsets import topic_states
from deploy.local.topics import create_topics
from shared.blobs import DATABASE as BLOBS

FOLDER = Path(__file__).parent / "release-1"
CONFIG = Path(__file__).parent / "desk.yaml"
KEYS = Path(__file__).parent / "keys.json"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
_CANONICAL = json_util.CANONICAL_JSON_OPTIONS.with_options(tz_aware=True)


@dataclass(frozen=True)
class Record:
    """One record of a topic."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None
    headers: list[tuple[str, bytes]]


def documents(client: MongoClient[Any]) -> Iterator[dict[str, Any]]:
    """All documents and blobs of all services, each with its database and collection."""
    for place in _collections(client):
        for document in client[place["database"]][place["collection"]].find().sort("_id", 1):
            yield {**place, "document": document}


def indexes(client: MongoClient[Any]) -> Iterator[dict[str, Any]]:
    """All indexes of those collections but the one on ``_id``."""
    for place in _collections(client):
        for index in client[place["database"]][place["collection"]].list_indexes():
            if index["name"] != "_id_":
                yield {**place, "index": {k: v for k, v in index.items() if k != "v"}}


def _collections(client: MongoClient[Any]) -> Iterator[dict[str, str]]:
    for database in sorted(client.list_database_names()):
        if database.startswith("postdesk_") or database == BLOBS:
            for collection in sorted(client[database].list_collection_names()):
                yield {"database": database, "collection": collection}


async def records(kafka: str) -> list[Record]:
    """All records of all topics."""
    ends = {
        TopicPartition(state.name, number): end
        for state in await topic_states(kafka)
        for number, end in state.end_offsets.items()
    }
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign(list(ends))
        found: list[Record] = []
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for place, read in (await consumer.getmany(timeout_ms=500)).items():
                found += [
                    Record(place.topic, place.partition, r.key, r.value, list(r.headers))
                    for r in read
                ]
        return sorted(found, key=lambda r: (r.topic, r.partition))
    finally:
        await consumer.stop()


async def positions(kafka: str) -> list[dict[str, Any]]:
    """How far each group has read."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        return [
            {"group": group, "topic": p.topic, "partition": p.partition, "offset": known.offset}
            for group, *_ in sorted(await admin.list_consumer_groups())
            for p, known in sorted((await admin.list_consumer_group_offsets(group)).items())
        ]
    finally:
        await admin.close()


def write(name: str, lines: Iterable[str]) -> None:
    """One file of the golden state."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with gzip.GzipFile(FOLDER / f"{name}.gz", "wb", mtime=0) as file:
        file.write("".join(f"{line}\n" for line in lines).encode())


def lines(name: str) -> list[str]:
    return gzip.decompress((FOLDER / f"{name}.gz").read_bytes()).decode().splitlines()


def document_line(entry: dict[str, Any]) -> str:
    return json_util.dumps(entry, json_options=_CANONICAL, sort_keys=False)


def record_line(record: Record) -> str:
    return json.dumps(
        {
            "topic": record.topic,
            "partition": record.partition,
            "key": record.key.decode(),
            "value": None if record.value is None else record.value.decode(),
            "headers": [[name, base64.b64encode(value).decode()] for name, value in record.headers],
        }
    )


class Golden:
    """The golden state, its times moved as if it had been taken a minute ago.

    So clocks, retention and limits by time find it as young as it was; nothing else is changed.
    """

    def __init__(self) -> None:
        self.story: dict[str, Any] = json.loads((FOLDER / "story.json").read_text())
        taken_at = datetime.fromisoformat(self.story["taken_at"])
        self._shift = datetime.now(UTC) - timedelta(minutes=1) - taken_at

    def into_mongo(self, uri: str) -> None:
        with MongoClient(uri, tz_aware=True) as client:
            for line in lines("documents.jsonl"):
                entry = json_util.loads(line, json_options=_CANONICAL)
                target = client[entry["database"]][entry["collection"]]
                target.insert_one(self._moved(entry["document"]))
            for entry in map(json.loads, lines("indexes.jsonl")):
                index = dict(entry["index"])
                keys = list(index.pop("key").items())
                client[entry["database"]][entry["collection"]].create_index(keys, **index)

    async def into_kafka(self, kafka: str) -> None:
        """The same records at the same places in the same order, and the same positions."""
        await create_topics(kafka)
        async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all") as producer:
            sent = [
                await producer.send(
                    entry["topic"],
                    partition=entry["partition"],
                    key=entry["key"].encode(),
                    value=entry["value"] and self._moved(entry["value"]).encode(),
                    headers=[(n, self._moved(base64.b64decode(v))) for n, v in entry["headers"]],
                )
                for entry in map(json.loads, lines("records.jsonl"))
            ]
            for one in sent:
                await one
        by_group: dict[str, dict[TopicPartition, int]] = {}
        for entry in map(json.loads, lines("positions.jsonl")):
            place = TopicPartition(entry["topic"], entry["partition"])
            by_group.setdefault(entry["group"], {})[place] = entry["offset"]
        for group, offsets in by_group.items():
            await _commit(kafka, group, offsets)

    def _moved(self, value: Any) -> Any:
        match value:
            case datetime():
                # What stands for never stays there.
                return value if value.year > 9000 else value + self._shift
            case str():
                return _TIME.sub(self._moved_text, value)
            case bytes() if _TIME.fullmatch(value.decode(errors="replace")):
                return self._moved(value.decode()).encode()
            case dict():
                return {key: self._moved(inner) for key, inner in value.items()}
            case list():
                return [self._moved(inner) for inner in value]
            case _:
                return value

    def _moved_text(self, found: re.Match[str]) -> str:
        moved = datetime.fromisoformat(found[0]) + self._shift
        text = moved.isoformat()
        return text.replace("+00:00", "Z") if found[0].endswith("Z") else text


async def _commit(kafka: str, group: str, offsets: dict[TopicPartition, int]) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(list(offsets))
        await consumer.commit(offsets)
    finally:
        await consumer.stop()
