"""The shared blob store: raw mails, attachments and long texts, each belonging to an owner."""

import asyncio
import hashlib
from collections.abc import Sequence

from shared.mongo import (
    BulkWriteError,
    Client,
    Document,
    DuplicateKeyError,
    ObjectId,
    gridfs_bucket,
    only_duplicates,
)

DATABASE = "blobs"
INLINE_BYTES = 1024 * 1024
"""Blobs up to this size are one document: one write instead of GridFS's three and more."""


class BlobMissingError(LookupError):
    """There is no blob of that id; its owner may have been deleted."""


class Blobs:
    """Ids are ``OWNER/SHA256``; identical content is stored once for each owner and dies with it.

    Large content is in GridFS; the document that names it is written last, so that an id that can
    be read is whole. Storing again what is there changes nothing.
    """

    def __init__(self, client: Client) -> None:
        database = client.get_database(DATABASE)
        self._index = database["blobs"]
        self._files = gridfs_bucket(database)

    async def put(self, owner: str, data: bytes) -> str:
        """Store and give the id."""
        return (await self.put_many(owner, [data]))[0]

    async def put_many(self, owner: str, contents: Sequence[bytes]) -> list[str]:
        """Store all, in one write as far as they are small; give the ids in the same order."""
        return await self.put_all([(owner, data) for data in contents])

    async def put_all(self, blobs: Sequence[tuple[str, bytes]]) -> list[str]:
        """Store blobs of several owners, in one write as far as they are small."""
        ids = [blob_id(owner, data) for owner, data in blobs]
        by_id = {name: data for name, (_, data) in zip(ids, blobs, strict=True)}
        small = [
            {"_id": name, "size_bytes": len(data), "data": data}
            for name, data in by_id.items()
            if len(data) <= INLINE_BYTES
        ]
        if small:
            await self._insert(small)
        for name, data in by_id.items():
            if len(data) > INLINE_BYTES:
                await self._put_large(name, data)
        return ids

    async def get(self, name: str) -> bytes:
        """Give the content; raises `BlobMissingError`."""
        found = await self._index.find_one({"_id": name})
        if found is None:
            raise BlobMissingError(name)
        if "file" not in found:
            return bytes(found["data"])
        stream = await self._files.open_download_stream(found["file"])
        return bytes(await stream.read())

    async def get_many(self, names: Sequence[str]) -> dict[str, bytes]:
        """Give the small ones of these blobs in one query; what is missing or large is left out."""
        found = self._index.find({"_id": {"$in": list(names)}, "data": {"$exists": True}})
        return {blob["_id"]: bytes(blob["data"]) async for blob in found}

    async def delete_owner(self, owner: str) -> None:
        """Delete all that belongs to the owner; nothing left is fine too."""
        its_own = _prefix(owner)
        async for file in self._files.find({"filename": its_own}):
            await self._files.delete(file._id)  # noqa: SLF001 - that is its name in GridFS
        await self._index.delete_many({"_id": its_own})

    async def _insert(self, documents: list[Document]) -> None:
        try:
            await self._index.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if not only_duplicates(error):
                raise

    async def _put_large(self, name: str, data: bytes) -> None:
        if await self._index.find_one({"_id": name}, {"_id": 1}):
            return
        file = ObjectId()
        await self._files.upload_from_stream_with_id(file, name, data)
        try:
            await self._index.insert_one({"_id": name, "size_bytes": len(data), "file": file})
        except DuplicateKeyError:
            await asyncio.shield(self._files.delete(file))


def blob_id(owner: str, data: bytes) -> str:
    """Name content of an owner; ``owner`` has no slash."""
    if not owner or "/" in owner:
        raise ValueError(f"not an owner of blobs: {owner!r}")
    return f"{owner}/{hashlib.sha256(data).hexdigest()}"


def _prefix(owner: str) -> Document:
    blob_id(owner, b"")
    return {"$gte": f"{owner}/", "$lt": f"{owner}0"}  # "0" follows "/"
