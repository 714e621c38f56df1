"""Indexes as services describe them, and making sure that all are there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pymongo import timeout
from pymongo.errors import OperationFailure

from shared.mongo.clients import Collection, Database, Document
from shared.mongo.errors import is_transient

_INDEX_CONFLICTS = (85, 86)  # IndexOptionsConflict, IndexKeySpecsConflict (error_codes.yml)
_NO_SUCH_INDEX = 27
INDEX_S = 3600.0


class MissingIndexError(RuntimeError):
    """An index that correctness rests on could not be made."""


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
