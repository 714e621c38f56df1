"""Takes a backup while everything runs: all stores as they were at one instant.

MongoDB's snapshot reads show every collection of every service at the same cluster time. What is
only on topics is copied after that: commands and directory entries of other systems, which their
readers recognise if they come again, and dead letters. All else on Kafka follows from the stores
(`resending`).
"""

import asyncio
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bson
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local import archive
from deploy.local.archive import Manifest, Part
from deploy.local.errors import StackError
from deploy.local.reading import reader, records_of
from shared.contracts.topics import TOPICS

COPIED_TOPICS = (
    *(topic.name for topic in TOPICS if topic.owner == "systems"),
    *(topic.dead_letter_name for topic in TOPICS if topic.dead_letters),
)
SNAPSHOT_UNAVAILABLE, SNAPSHOT_TOO_OLD = 246, 239
TRIES = 5
LONGEST_S = 6 * 3600
"""For so long MongoDB is asked to keep the snapshot; its own default is 5 minutes."""
_WINDOW = "minSnapshotHistoryWindowInSeconds"

Client = MongoClient[Any]


@dataclass(frozen=True)
class Source:
    """What is backed up; ``files`` are copied as they are: keys and configuration."""

    mongo: str
    kafka: str
    files: Mapping[str, Path]


def back_up(source: Source, target: Path) -> Manifest:
    """Write a backup to ``target``, a folder that does not exist yet, for the owner's eyes alone.

    Raises:
        StackError: it could not be made; then ``target`` does not exist.
    """
    if target.exists():
        raise StackError(f"{target} exists already.", remedy="name a folder that does not.")
    part = target.with_name(f"{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    before = os.umask(0o077)
    try:
        part.mkdir(parents=True)
        manifest = _write(source, part)
        part.rename(target)
    except (PyMongoError, OSError) as error:
        remedy = "is MongoDB up ('postdesk status'), and is there room for the backup?"
        raise StackError(f"The backup was not made: {error}", remedy=remedy) from error
    finally:
        os.umask(before)
        shutil.rmtree(part, ignore_errors=True)
    return manifest


def _write(source: Source, folder: Path) -> Manifest:
    taken_at = datetime.now(UTC)
    client: Client = MongoClient(source.mongo, tz_aware=True)
    with client, _long_snapshots(client):
        parts = _stores(client, folder)
    parts += asyncio.run(_topics(source.kafka, folder))
    files = [name for name, path in source.files.items() if path.is_file()]
    for name in files:
        shutil.copyfile(source.files[name], folder / name)
    manifest = Manifest(taken_at=taken_at, files=files, parts=parts)
    archive.write_manifest(folder, manifest)
    return manifest


def _stores(client: Client, folder: Path) -> list[Part]:
    """All collections at one instant; a collection made just then needs another try."""
    tries = TRIES
    while True:
        tries -= 1
        try:
            return _stores_once(client, folder)
        except OperationFailure as error:
            if error.code == SNAPSHOT_TOO_OLD:
                cause = "MongoDB did not keep the snapshot for as long as the backup took."
                remedy = f"set its parameter {_WINDOW} to more seconds than that."
                raise StackError(cause, remedy=remedy) from error
            if error.code != SNAPSHOT_UNAVAILABLE or not tries:
                raise


def _stores_once(client: Client, folder: Path) -> list[Part]:
    shutil.rmtree(folder / "mongo", ignore_errors=True)
    parts = []
    with client.start_session(snapshot=True) as session:
        for database in sorted(filter(_is_ours, client.list_database_names())):
            for name in sorted(client[database].list_collection_names()):
                collection = client[database].get_collection(name, codec_options=archive.RAW)
                path = f"mongo/{database}/{name}.bson.gz"
                documents = (bytes(row.raw) for row in collection.find({}, session=session))
                part = archive.write_part(folder, path, documents)
                part.database, part.collection = database, name
                part.indexes = [dict(i) for i in client[database][name].list_indexes()]
                parts.append(part)
    if not parts:
        raise StackError("There is nothing to back up.", remedy="is this the desk's MongoDB?")
    return parts


def _is_ours(database: str) -> bool:
    return database == "blobs" or database.startswith("postdesk_")


@contextmanager
def _long_snapshots(client: Client) -> Iterator[None]:
    """Have MongoDB keep snapshots for longer meanwhile, where this user may say so."""
    before = None
    with suppress(OperationFailure):
        before = client.admin.command({"getParameter": 1, _WINDOW: 1})[_WINDOW]
        client.admin.command({"setParameter": 1, _WINDOW: max(before, LONGEST_S)})
    try:
        yield
    finally:
        if before is not None:
            with suppress(PyMongoError):
                client.admin.command({"setParameter": 1, _WINDOW: before})


async def _topics(kafka: str, folder: Path) -> list[Part]:
    parts = []
    async with reader(kafka) as at:
        for topic in COPIED_TOPICS:
            documents = [_document(record) async for record in records_of(at, [topic])]
            if documents:
                part = archive.write_part(folder, f"kafka/{topic}.bson.gz", documents)
                part.topic = topic
                parts.append(part)
    return parts


def _document(record: Any) -> bytes:
    headers: Iterable[tuple[str, bytes | None]] = record.headers
    return bson.encode(
        {
            "key": record.key,
            "value": record.value,
            "headers": [[name, value] for name, value in headers],
            "timestamp": record.timestamp,
        }
    )


def records_in(folder: Path, parts: Sequence[Part]) -> Iterator[tuple[str, bytes, Any, Any]]:
    """Topic, key, value and headers of the records that were copied."""
    for part in parts:
        for raw in archive.read_part(folder, part) if part.topic else ():
            row = bson.decode(raw.raw)
            headers = [(name, value) for name, value in row["headers"]]
            yield part.topic, row["key"] or b"", row["value"], headers
