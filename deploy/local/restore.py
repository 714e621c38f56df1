"""Puts a backup into an empty MongoDB and an empty Kafka, so that a new stack goes on from it.

The services must not run meanwhile. What is done here is undone by emptying both again.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.local import archive, resending
from deploy.local.archive import Manifest, Part
from deploy.local.backup import records_in
from deploy.local.errors import StackError
from deploy.local.offsets import topic_states
from deploy.local.topics import create_topics
from deploy.local.writing import publish
from shared import mongo

BATCH_BYTES = 8 * 1024 * 1024
BATCH_DOCUMENTS = 1_000
OPERATION_MS = 10 * 60_000
SKIPPED_NUMBERS = 1_000
"""Tickets opened after the backup have told their customers numbers that must not come again."""
_NOT_GIVEN = ("v", "ns", "key")

Client = MongoClient[dict[str, Any]]


@dataclass(frozen=True)
class Restored:
    """What was put back, and what is sent again because it was on its way."""

    manifest: Manifest
    documents: int
    records: int
    resent: dict[str, int]


def restore(folder: Path, mongo_uri: str, kafka: str, *, skip_numbers: int) -> Restored:
    """Put everything back; the next ticket number is ``skip_numbers`` higher than it was.

    Raises:
        StackError: the backup is not whole, or a target is not empty; then nothing was changed.
    """
    manifest = archive.read_manifest(folder)
    client: Client = MongoClient(mongo_uri, w="majority", journal=True)
    with client:
        _refuse_data(client, manifest)
        asyncio.run(_refuse_records(kafka))
        try:
            for part in manifest.parts:
                if part.database:
                    _load(client, folder, part)
            _adjust(client, skip_numbers)
        except PyMongoError as error:
            remedy = "empty MongoDB and try again; nothing has been sent."
            raise StackError(f"MongoDB did not take the backup: {error}", remedy=remedy) from error
    records = list(records_in(folder, manifest.parts))
    asyncio.run(publish(kafka, records))
    resent = asyncio.run(_resend(mongo_uri, manifest))
    documents = sum(part.documents for part in manifest.parts if part.database)
    return Restored(manifest, documents, len(records), resent)


def _refuse_data(client: Client, manifest: Manifest) -> None:
    for database in sorted({part.database for part in manifest.parts if part.database}):
        for name in client[database].list_collection_names():
            if client[database][name].find_one({}, {"_id": 1}):
                raise StackError(
                    f"MongoDB holds data already ({database}.{name}).",
                    remedy="restore into an empty one, with a new --state-dir or --mongo.",
                )


async def _refuse_records(kafka: str) -> None:
    """Records and offsets of another life would be taken for news, or hide it."""
    await create_topics(kafka)
    for state in await topic_states(kafka):
        if any(state.end_offsets.values()):
            raise StackError(
                f"Kafka's topic {state.name} has been written to already.",
                remedy="restore into an empty one, with a new --state-dir or --kafka.",
            )


def _load(client: Client, folder: Path, part: Part) -> None:
    collection = client[part.database].get_collection(part.collection, codec_options=archive.RAW)
    for batch in _batches(archive.read_part(folder, part)):
        collection.insert_many(batch, ordered=False)
    for index in part.indexes:
        if index["name"] != "_id_":
            options = {name: value for name, value in index.items() if name not in _NOT_GIVEN}
            collection.create_index(list(index["key"].items()), **options)


def _batches(documents: Iterator[RawBSONDocument]) -> Iterator[list[RawBSONDocument]]:
    batch: list[RawBSONDocument] = []
    size = 0
    for document in documents:
        batch.append(document)
        size += len(document.raw)
        if size >= BATCH_BYTES or len(batch) >= BATCH_DOCUMENTS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _adjust(client: Client, skip_numbers: int) -> None:
    tickets = client["postdesk_tickets"]["counters"]
    tickets.update_one({"_id": "tickets"}, {"$inc": {"value": skip_numbers}})
    for service in ("tickets", "sla", "notify", "reports"):
        # Whoever held them is not there any more.
        client[f"postdesk_{service}"]["leases"].delete_many({})


async def _resend(uri: str, manifest: Manifest) -> dict[str, int]:
    client = mongo.connect(uri, service="restore", operation_ms=OPERATION_MS)
    try:
        return await resending.resend(client, manifest.taken_at)
    finally:
        client.close()
