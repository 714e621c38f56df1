"""The only import of motor and pymongo: client, transaction, indexes, and which errors pass.

It keeps to what motor and PyMongo's own asynchronous client both offer, so that exchanging one
for the other is a change to this file.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from bson import ObjectId
from motor.motor_asyncio import (
    AsyncIOMotorClient,
    AsyncIOMotorClientSession,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
    AsyncIOMotorGridFSBucket,
)
from pymongo import (
    ASCENDING,
    DESCENDING,
    DeleteMany,
    DeleteOne,
    InsertOne,
    ReplaceOne,
    ReturnDocument,
    UpdateMany,
    UpdateOne,
    WriteConcern,
    timeout,
)
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
    WaitQueueTimeoutError,
)

Document = dict[str, Any]
Client = AsyncIOMotorClient[Document]
Database = AsyncIOMotorDatabase[Document]
Collection = AsyncIOMotorCollection[Document]
Session = AsyncIOMotorClientSession
GridFSBucket = AsyncIOMotorGridFSBucket
T = TypeVar("T")

DUPLICATE_KEY = 11000
_INDEX_CONFLICTS = (85, 86)  # IndexOptionsConflict, IndexKeySpecsConflict (error_codes.yml)
_NO_SUCH_INDEX = 27
NO_SESSIONS = "Sessions are not supported"
"""How the driver's error begins about a server that has just come up."""
SERVER_SELECTION_MS = 3_000
OPERATION_MS = 8_000
TRANSACTION_RETRY_S = 5.0
PING_S = 5.0
MANY = 5
"""From so many documents on it is cheaper to look once whether they meet a condition than to repeat
it in each write: a write by ``_id`` alone is not planned, and costs half."""
INDEX_S = 3600.0

_PASSING_CODES = frozenset(
    {
        # Elections, shutdowns and time limits (error_codes.yml of the server).
        *(6, 7, 24, 50, 89, 91, 112, 133, 134, 189, 202, 211, 234, 246, 251, 262, 290, 384),
        *(9001, 10058, 10107, 11600, 11602, 13388, 13435, 13436, 14031, 20, 64, 79, 96),
        # Refused credentials: an operator's matter, never a reason to give a record up.
        *(11, 13, 18, 8000),
    }
)

__all__ = [
    "ASCENDING",
    "DESCENDING",
    "DUPLICATE_KEY",
    "BulkWriteError",
    "Client",
    "Collection",
    "Database",
    "DeleteMany",
    "DeleteOne",
    "Document",
    "DuplicateKeyError",
    "GridFSBucket",
    "Index",
    "InsertOne",
    "MissingIndexError",
    "MongoError",
    "ObjectId",
    "ReplaceOne",
    "ReturnDocument",
    "Session",
    "UpdateMany",
    "UpdateOne",
    "checked",
    "connect",
    "database",
    "ensure_indexes",
    "gridfs_bucket",
    "is_answering",
    "is_transient",
    "only_duplicates",
    "store_versions",
    "transaction",
    "unjournaled",
]

MongoError = PyMongoError


class MissingIndexError(RuntimeError):
    """An index that correctness rests on could not be made."""


def connect(uri: str, *, service: str = "postdesk", operation_ms: int = OPERATION_MS) -> Client:
    """Give a client whose writes are acknowledged by a majority's journals.

    Nothing is sent yet. Servers are looked for during 3 s and an operation may take 8 s, or
    ``operation_ms``; what passes that has an unknown result. Close it with ``close()``.
    """
    return AsyncIOMotorClient(
        uri,
        appname=service,
        w="majority",
        journal=True,
        retryWrites=True,
        retryReads=True,
        readConcernLevel="majority",
        serverSelectionTimeoutMS=SERVER_SELECTION_MS,
        connectTimeoutMS=SERVER_SELECTION_MS,
        timeoutMS=operation_ms,
        maxPoolSize=50,
        tz_aware=True,
    )


def database(client: Client, service: str) -> Database:
    """Give the database that the service owns: nobody else reads it."""
    return client.get_database(f"postdesk_{service}")


def gridfs_bucket(db: Database) -> GridFSBucket:
    """Give the default GridFS bucket of a database."""
    return AsyncIOMotorGridFSBucket(db)


def unjournaled(collection: Collection) -> Collection:
    """Give the same collection for writes that return before they are journaled on a majority.

    For what a later, journaled write of the same work makes certain: the journal keeps the order.
    """
    return collection.with_options(write_concern=WriteConcern(w=1, j=False))


async def is_answering(client: Client) -> bool:
    """Say whether a primary answers within 5 s."""
    try:
        async with asyncio.timeout(PING_S):
            await client.admin.command("ping")
    except (PyMongoError, TimeoutError):
        return False
    return True


async def server_time(client: Client) -> datetime:
    """The primary's own time, aware, in whole milliseconds."""
    told: datetime = (await client.admin.command("hello"))["localTime"]
    return told if told.tzinfo else told.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Index:
    """An index of ``collection``; ``keys`` are (field, 1 or -1) pairs, ``partial`` a filter."""

    collection: str
    keys: Sequence[tuple[str, int | str]]
    unique: bool = False
    partial: Mapping[str, Any] | None = None
    expire_after_s: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def arguments(self) -> Document:
        """Give what ``create_index`` takes beside the keys."""
        given: Document = {**self.options}
        if self.unique:
            given["unique"] = True
        if self.partial is not None:
            given["partialFilterExpression"] = dict(self.partial)
        if self.expire_after_s is not None:
            given["expireAfterSeconds"] = self.expire_after_s
        return given


async def ensure_indexes(db: Database, indexes: Sequence[Index]) -> None:
    """Make what is missing, then look whether all are there as described.

    A new index of a large collection may take an hour; a server that is asked for less gives a
    half-built one up, and would begin anew for ever.

    An index of another release that stands in the way gives place, unless it guards unique keys.
    Raises `MissingIndexError` where an index cannot be made: without its unique keys a service
    must not start.
    """
    for index in indexes:
        try:
            with timeout(INDEX_S):
                await _make(db, index)
        except OperationFailure as error:
            if is_transient(error):
                raise
            raise MissingIndexError(f"{index.collection} {list(index.keys)}: {error}") from error
    for index in indexes:
        existing = await db[index.collection].index_information()
        if not any(_matches(index, found) for found in existing.values()):
            raise MissingIndexError(f"{index.collection} {list(index.keys)} is not there")


async def _make(db: Database, index: Index) -> None:
    collection, keys = db[index.collection], list(index.keys)
    try:
        await collection.create_index(keys, **index.arguments())
    except OperationFailure as error:
        if error.code not in _INDEX_CONFLICTS or index.unique:
            raise
        for name, found in (await collection.index_information()).items():
            in_the_way = name == index.options.get("name") or _same_keys(index, found)
            if in_the_way and not found.get("unique", False):
                await _drop_index(collection, name)
        await collection.create_index(keys, **index.arguments())


async def _drop_index(collection: Collection, name: str) -> None:
    try:
        await collection.drop_index(name)
    except OperationFailure as error:
        if error.code != _NO_SUCH_INDEX:  # another process was faster
            raise


def _same_keys(index: Index, found: Mapping[str, Any]) -> bool:
    return [tuple(key) for key in found["key"]] == [tuple(key) for key in index.keys]


def _matches(index: Index, found: Mapping[str, Any]) -> bool:
    return _same_keys(index, found) and bool(found.get("unique", False)) == index.unique


async def transaction(
    client: Client, work: Callable[[Session], Awaitable[T]], *, retry_s: float = TRANSACTION_RETRY_S
) -> T:
    """Run ``work`` in one transaction and commit it; everything or nothing holds afterwards.

    ``work`` is run again after conflicts and elections, so it must be free of other effects.
    After ``retry_s`` seconds of those the last error is raised. An error of the commit itself
    means that the result is unknown.
    """
    give_up_at = time.monotonic() + retry_s
    pause_s = 0.002
    async with await client.start_session() as session:
        while True:
            try:
                return await _attempt(session, work, give_up_at)
            except PyMongoError as error:
                passing = error.has_error_label("TransientTransactionError")
                if isinstance(error, ConfigurationError) and is_transient(error):
                    _forget_connections(client)
                    passing = True
                if not passing or time.monotonic() > give_up_at:
                    raise
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311 - spreads retries
            pause_s = min(pause_s * 2, 0.25)


async def checked(
    collection: Collection, ids: Sequence[str], condition: Document, session: Session
) -> tuple[set[str], Document]:
    """Give those that may meet the condition, and what each write has to ask for itself.

    To be called in the transaction of the writes: what it has seen nobody else changes before it
    ends, for the server lets one of two that write the same fail.
    """
    if len(ids) < MANY:
        return set(ids), condition
    found = collection.find({"_id": {"$in": list(ids)}, **condition}, {"_id": 1}, session=session)
    return {document["_id"] async for document in found}, {}


async def store_versions(
    collection: Collection,
    documents: Sequence[Document],
    loaded: Mapping[str, int],
    session: Session,
) -> bool:
    """Store documents in place of those that were ``loaded`` (their ``seq`` by id), others as new.

    Gives False where somebody else stored one of them meanwhile; then the transaction must be
    given up.
    """
    known = [d["_id"] for d in documents if loaded.get(d["_id"])]
    is_seen = len(known) >= MANY
    if is_seen:
        found = collection.find({"_id": {"$in": known}}, {"seq": 1}, session=session)
        seen = {d["_id"]: d["seq"] async for d in found}
        if any(seen.get(name) != loaded[name] for name in known):
            return False
    writes = [
        ReplaceOne({"_id": d["_id"]} | ({} if is_seen else {"seq": loaded[d["_id"]]}), d)
        if loaded.get(d["_id"])
        else InsertOne(d)
        for d in documents
    ]
    try:
        result = await collection.bulk_write(writes, ordered=False, session=session)
    except BulkWriteError as error:
        if only_duplicates(error):
            return False
        raise
    return bool(result.matched_count + result.inserted_count == len(writes))


def _forget_connections(client: Client) -> None:
    """Have all connections made anew.

    One that was made while a server came up, before it knew its replica set, offers no sessions
    for as long as it lasts; the driver keeps it, and has no public way to drop it.
    """
    for server in tuple(client.delegate._topology._servers.values()):  # noqa: SLF001
        server.pool.reset_without_pause()


async def _attempt(
    session: Session, work: Callable[[Session], Awaitable[T]], give_up_at: float
) -> T:
    async with session.start_transaction():
        result = await work(session)
        await _commit(session, give_up_at)
    return result


async def _commit(session: Session, give_up_at: float) -> None:
    while True:
        try:
            await session.commit_transaction()
        except PyMongoError as error:
            unknown = error.has_error_label("UnknownTransactionCommitResult")
            if not unknown or time.monotonic() > give_up_at:
                raise
        else:
            return


def is_transient(error: BaseException) -> bool:
    """Say whether the operation may go through later: the server was away, busy or electing."""
    if isinstance(error, BulkWriteError):
        details = error.details or {}
        return not details.get("writeErrors") and bool(details.get("writeConcernErrors"))
    if isinstance(error, ConnectionFailure | WaitQueueTimeoutError):
        return True
    if isinstance(error, ConfigurationError):
        return str(error).startswith(NO_SESSIONS)
    if not isinstance(error, PyMongoError):
        return False
    labels = ("TransientTransactionError", "RetryableWriteError", "UnknownTransactionCommitResult")
    if error.timeout or any(map(error.has_error_label, labels)):
        return True
    return isinstance(error, OperationFailure) and error.code in _PASSING_CODES


def only_duplicates(error: BulkWriteError) -> bool:
    """Say whether every write that failed did so because its unique key exists already."""
    details = error.details or {}
    failed = details.get("writeErrors", [])
    unsure = details.get("writeConcernErrors", [])
    return bool(failed) and not unsure and all(e.get("code") == DUPLICATE_KEY for e in failed)
