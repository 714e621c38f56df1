import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import monitoring

from deploy.local.providers.embedded_mongo import EmbeddedMongo
from shared import mongo as mongodb
from shared.blobs import INLINE_BYTES, BlobMissingError, Blobs
from shared.mongo import (
    BulkWriteError,
    Client,
    Database,
    DuplicateKeyError,
    Index,
    MissingIndexError,
    Session,
)

pytestmark = pytest.mark.stack


@pytest.fixture
async def client(mongo: str) -> AsyncIterator[Client]:
    client = mongodb.connect(mongo)
    yield client
    client.close()


@pytest.fixture
async def database(client: Client) -> AsyncIterator[Database]:
    database = client.get_database(f"test_{uuid.uuid4().hex[:12]}")
    yield database
    await client.drop_database(database.name)


@pytest.fixture
def blobs(client: Client) -> Blobs:
    return Blobs(client)


@pytest.fixture
async def owner(blobs: Blobs) -> AsyncIterator[str]:
    owner = f"T-{uuid.uuid4().hex[:12]}"
    yield owner
    await blobs.delete_owner(owner)


async def test_writes_are_acknowledged_by_a_majoritys_journals(client, database) -> None:
    concern = database["any"].write_concern.document

    assert (concern["w"], concern["j"]) == ("majority", True)
    assert database["any"].read_concern.level == "majority"


async def test_an_index_of_a_large_collection_is_given_the_time_that_it_takes(mongo: str) -> None:
    class Heard(monitoring.CommandListener):
        limits_ms: list[int]

        def started(self, event: monitoring.CommandStartedEvent) -> None:
            if event.command_name == "createIndexes":
                self.limits_ms.append(event.command["maxTimeMS"])

        def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

        def failed(self, event: monitoring.CommandFailedEvent) -> None: ...

    heard = Heard()
    heard.limits_ms = []
    client: Client = AsyncIOMotorClient(mongo, timeoutMS=8_000, event_listeners=[heard])
    database = client.get_database(f"test_{uuid.uuid4().hex[:12]}")

    await mongodb.ensure_indexes(database, [Index("rows", [("at", 1)])])
    await client.drop_database(database.name)
    client.close()

    assert heard.limits_ms
    assert min(heard.limits_ms) > 3_000_000


async def test_a_transaction_is_stored_whole(client, database) -> None:
    async def work(session: Session) -> str:
        await database["a"].insert_one({"_id": 1}, session=session)
        await database["b"].insert_one({"_id": 1}, session=session)
        return "done"

    result = await mongodb.transaction(client, work)

    assert result == "done"
    assert await database["a"].count_documents({}) == await database["b"].count_documents({}) == 1


async def test_a_transaction_that_fails_leaves_nothing(client, database) -> None:
    async def work(session: Session) -> None:
        await database["a"].insert_one({"_id": 1}, session=session)
        raise KeyError("bug")

    with pytest.raises(KeyError):
        await mongodb.transaction(client, work)

    assert await database["a"].count_documents({}) == 0


async def test_a_unique_key_that_exists_is_told_at_once(client, database) -> None:
    await database["a"].insert_one({"_id": 1})
    tries = 0

    async def work(session: Session) -> None:
        nonlocal tries
        tries += 1
        await database["a"].insert_one({"_id": 1}, session=session)

    with pytest.raises(DuplicateKeyError):
        await mongodb.transaction(client, work)
    assert tries == 1


async def test_transactions_that_conflict_are_run_again_until_all_are_stored(
    client, database
) -> None:
    await database["counter"].insert_one({"_id": 1, "n": 0})

    async def increment(session: Session) -> None:
        found = await database["counter"].find_one({"_id": 1}, session=session)
        await asyncio.sleep(0)
        await database["counter"].update_one(
            {"_id": 1}, {"$set": {"n": found["n"] + 1}}, session=session
        )

    await asyncio.gather(*(mongodb.transaction(client, increment, retry_s=30) for _ in range(8)))

    assert (await database["counter"].find_one({"_id": 1}))["n"] == 8


async def test_a_mongodb_that_is_away_is_told_within_the_time_limits(monkeypatch) -> None:
    monkeypatch.setattr("shared.mongo.clients.SERVER_SELECTION_MS", 200)
    away = mongodb.connect("mongodb://127.0.0.1:1/?replicaSet=rs0", operation_ms=500)

    async def work(session: Session) -> None:
        await away["x"]["a"].insert_one({}, session=session)

    with pytest.raises(mongodb.MongoError) as told:
        await asyncio.wait_for(mongodb.transaction(away, work, retry_s=0.1), 20)
    away.close()

    assert mongodb.is_transient(told.value)


async def test_a_server_that_did_not_know_its_replica_set_yet_is_usable_soon(
    tmp_path: Path,
) -> None:
    server = EmbeddedMongo(tmp_path, log=tmp_path / "log")
    server.launch()
    direct = server.address.partition("?")[0] + "?directConnection=true"
    client = mongodb.connect(direct)

    async def work(session: Session) -> None:
        await client["x"]["a"].insert_one({}, session=session)

    try:
        async with asyncio.timeout(60):
            while not await mongodb.is_answering(client):  # noqa: ASYNC110 - a server comes up
                await asyncio.sleep(0.1)
        with pytest.raises(mongodb.MongoError) as told:
            await mongodb.transaction(client, work, retry_s=0)
        await asyncio.to_thread(server.wait_ready)
        await mongodb.transaction(client, work)
    finally:
        client.close()
        server.stop()

    assert str(told.value).startswith(mongodb.NO_SESSIONS)
    assert mongodb.is_transient(told.value)


async def test_only_duplicates_tells_a_repeat_from_a_real_failure(database) -> None:
    await database["a"].insert_one({"_id": 1})

    with pytest.raises(BulkWriteError) as repeat:
        await database["a"].insert_many([{"_id": 1}, {"_id": 2}], ordered=False)
    await database.create_collection("strict", validator={"n": {"$exists": True}})
    with pytest.raises(BulkWriteError) as refused:
        await database["strict"].insert_many([{"_id": 1}], ordered=False)

    assert mongodb.only_duplicates(repeat.value)
    assert not mongodb.only_duplicates(refused.value)


async def test_indexes_are_made_and_made_again_without_harm(database) -> None:
    wanted = [Index("inbound", [("key", 1)], unique=True), Index("inbound", [("at", -1)])]

    for _ in range(2):
        await mongodb.ensure_indexes(database, wanted)

    await database["inbound"].insert_one({"key": "k"})
    with pytest.raises(DuplicateKeyError):
        await database["inbound"].insert_one({"key": "k"})


async def test_a_unique_key_that_cannot_be_made_keeps_the_service_from_starting(database) -> None:
    await database["inbound"].insert_many([{"key": "k"}, {"key": "k"}])

    with pytest.raises(MissingIndexError, match="key"):
        await mongodb.ensure_indexes(database, [Index("inbound", [("key", 1)], unique=True)])


async def test_an_index_that_is_there_but_not_unique_is_refused(database) -> None:
    await database["inbound"].create_index([("key", 1)])

    with pytest.raises(MissingIndexError):
        await mongodb.ensure_indexes(database, [Index("inbound", [("key", 1)], unique=True)])


@pytest.mark.parametrize(
    ("keys", "options"),
    [
        ([("state", 1)], {"name": "outbox"}),
        ([("at", 1)], {"name": "outbox", "expireAfterSeconds": 60}),
        ([("at", 1)], {"expireAfterSeconds": 60}),
    ],
    ids=["other keys", "other options", "another name"],
)
async def test_an_index_of_an_earlier_release_gives_place(database, keys, options) -> None:
    await database["rows"].create_index(keys, **options)
    wanted = Index("rows", [("at", 1)], expire_after_s=90, options={"name": "outbox"})

    await mongodb.ensure_indexes(database, [wanted])

    found = await database["rows"].index_information()
    assert set(found) == {"_id_", "outbox"}
    assert (found["outbox"]["key"], found["outbox"]["expireAfterSeconds"]) == ([("at", 1)], 90)


async def test_an_index_that_guards_unique_keys_gives_no_place(database) -> None:
    await database["rows"].create_index([("at", 1)], name="outbox", unique=True)

    with pytest.raises(MissingIndexError):
        await mongodb.ensure_indexes(
            database, [Index("rows", [("state", 1)], options={"name": "outbox"})]
        )

    assert (await database["rows"].index_information())["outbox"]["unique"]


@pytest.mark.parametrize(
    "size", [0, 1, INLINE_BYTES, INLINE_BYTES + 1], ids=["empty", "one", "inline", "GridFS"]
)
async def test_a_blob_comes_back_as_it_was_put(blobs, owner, size) -> None:
    data = os.urandom(size)

    name = await blobs.put(owner, data)

    assert name.startswith(f"{owner}/")
    assert await blobs.get(name) == data


@pytest.mark.parametrize("size", [10, INLINE_BYTES + 1], ids=["inline", "GridFS"])
async def test_the_same_content_twice_is_stored_once_for_an_owner(
    blobs, owner, client, size
) -> None:
    data = os.urandom(size)

    names = await asyncio.gather(*(blobs.put(owner, data) for _ in range(4)))

    database = client.get_database("blobs")
    assert len(set(names)) == 1
    assert await database["blobs"].count_documents({"_id": names[0]}) == 1
    assert await database["fs.files"].count_documents({"filename": names[0]}) <= 1
    assert await blobs.get(names[0]) == data


async def test_many_blobs_are_named_in_the_order_given(blobs, owner) -> None:
    contents = [b"a", os.urandom(INLINE_BYTES + 1), b"b", b"a"]
    await blobs.put(owner, b"b")

    names = await blobs.put_many(owner, contents)

    assert [await blobs.get(name) for name in names] == contents


async def test_blobs_die_with_their_owner_and_with_no_other(blobs, owner, client) -> None:
    large = os.urandom(INLINE_BYTES + 1)
    gone = await blobs.put_many(owner, [b"small", large])
    kept = await blobs.put(f"{owner}0", b"small")

    await blobs.delete_owner(owner)
    await blobs.delete_owner(owner)

    for name in gone:
        with pytest.raises(BlobMissingError):
            await blobs.get(name)
    assert (
        await client.get_database("blobs")["fs.files"].count_documents({"filename": gone[1]}) == 0
    )
    assert await blobs.get(kept) == b"small"
    await blobs.delete_owner(f"{owner}0")


@pytest.mark.parametrize("wrong", ["", "T-1/x"])
async def test_an_owner_has_a_name_without_a_slash(blobs, wrong) -> None:
    with pytest.raises(ValueError, match="owner"):
        await blobs.put(wrong, b"x")
