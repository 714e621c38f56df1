"""The only import of motor and pymongo: client, transaction, indexes, and which errors pass.

It keeps to what motor and PyMongo's own asynchronous client both offer, so that exchanging one
for the other is a change to this folder.
"""

from bson import ObjectId
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
)
from pymongo.errors import BulkWriteError, DuplicateKeyError

from shared.mongo.clients import (
    Client,
    Collection,
    Database,
    Document,
    GridFSBucket,
    Session,
    connect,
    database,
    gridfs_bucket,
    is_answering,
    server_time,
    unjournaled,
)
from shared.mongo.errors import (
    DUPLICATE_KEY,
    NO_SESSIONS,
    MongoError,
    is_transient,
    only_duplicates,
)
from shared.mongo.indexes import Index, MissingIndexError, ensure_indexes
from shared.mongo.transactions import MANY, checked, store_versions, transaction

__all__ = [
    "ASCENDING",
    "DESCENDING",
    "DUPLICATE_KEY",
    "MANY",
    "NO_SESSIONS",
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
    "server_time",
    "store_versions",
    "transaction",
    "unjournaled",
]
