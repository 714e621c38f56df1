"""Clients, the databases of services, and writes that need not be journaled."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from motor.motor_asyncio import (
    AsyncIOMotorClient,
    AsyncIOMotorClientSession,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
    AsyncIOMotorGridFSBucket,
)
from pymongo import WriteConcern
from pymongo.errors import PyMongoError

Document = dict[str, Any]
Client = AsyncIOMotorClient[Document]
Database = AsyncIOMotorDatabase[Document]
Collection = AsyncIOMotorCollection[Document]
Session = AsyncIOMotorClientSession
GridFSBucket = AsyncIOMotorGridFSBucket

SERVER_SELECTION_MS = 3_000
OPERATION_MS = 8_000
PING_S = 5.0


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
