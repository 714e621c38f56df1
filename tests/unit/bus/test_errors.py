import socket

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    MessageSizeTooLargeError,
    NotLeaderForPartitionError,
)
from dns.resolver import NoNameservers
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidDocument,
    OperationFailure,
    ServerSelectionTimeoutError,
)

from shared.bus import PermanentError, PublishError, TransientError, UndecodableError, classify
from tests.bus_records import Noted


def a_validation_error() -> Exception:
    try:
        Noted.model_validate({"text": 7})
    except ValueError as error:
        return error
    raise AssertionError


def labelled(error: OperationFailure, label: str) -> OperationFailure:
    error._add_error_label(label)
    return error


@pytest.mark.parametrize(
    "error",
    [
        TransientError(),
        PublishError(),
        AutoReconnect(),
        ServerSelectionTimeoutError(),
        ExecutionTimeout("too slow", 50),
        OperationFailure("not primary", 10107),
        OperationFailure("write conflict", 112),
        OperationFailure("not authorised", 13),
        labelled(OperationFailure("conflict", 1), "TransientTransactionError"),
        BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 64}]}),
        KafkaConnectionError(),
        NotLeaderForPartitionError(),
        ConnectionRefusedError(),
        socket.gaierror(),
        TimeoutError(),
        NoNameservers(),
        ExceptionGroup("several", [ValueError(), TimeoutError()]),
    ],
    ids=repr,
)
def test_what_the_outside_says_while_it_is_away_passes(error) -> None:
    assert classify(error) == "transient"


@pytest.mark.parametrize(
    "error",
    [
        PermanentError(),
        UndecodableError(),
        a_validation_error(),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"),
        MessageSizeTooLargeError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_wrong_with_the_record_itself_never_passes(error) -> None:
    assert classify(error) == "permanent"


@pytest.mark.parametrize(
    "error",
    [
        KeyError("x"),
        AssertionError(),
        DuplicateKeyError("twice", 11000),
        BulkWriteError({"writeErrors": [{"code": 11000}]}),
        InvalidDocument("no"),
        ExceptionGroup("several", [KeyError(), UnicodeError()]),
    ],
    ids=repr,
)
def test_everything_else_is_taken_for_a_bug(error) -> None:
    assert classify(error) == "bug"
