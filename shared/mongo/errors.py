"""Which errors pass by themselves."""

from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    OperationFailure,
    PyMongoError,
    WaitQueueTimeoutError,
)

MongoError = PyMongoError

DUPLICATE_KEY = 11000
NO_SESSIONS = "Sessions are not supported"
"""How the driver's error begins about a server that has just come up."""

_PASSING_CODES = frozenset(
    {
        # Elections, shutdowns and time limits (error_codes.yml of the server).
        *(6, 7, 24, 50, 89, 91, 112, 133, 134, 189, 202, 211, 234, 246, 251, 262, 290, 384),
        *(9001, 10058, 10107, 11600, 11602, 13388, 13435, 13436, 14031, 20, 64, 79, 96),
        # Refused credentials: an operator's matter, never a reason to give a record up.
        *(11, 13, 18, 8000),
    }
)


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
