"""Transactions, and writes of many documents that hold only if nobody else was faster."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from pymongo import InsertOne, ReplaceOne
from pymongo.errors import BulkWriteError, ConfigurationError, PyMongoError

from shared.mongo.clients import Client, Collection, Document, Session
from shared.mongo.errors import is_transient, only_duplicates

T = TypeVar("T")

TRANSACTION_RETRY_S = 5.0
MANY = 5
"""From so many documents on it is cheaper to look once whether they meet a condition than to repeat
it in each write: a write by ``_id`` alone is not planned, and costs half."""


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
