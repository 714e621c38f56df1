"""Three kinds of failure: it passes, it never will, or the code is wrong."""

from typing import Literal

import pydantic
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from shared import mongo

Kind = Literal["transient", "permanent", "bug"]


class BusError(Exception):
    """Root of this package's errors."""


class TransientError(BusError):
    """A dependency is away: the same record will go through later."""


class PermanentError(BusError):
    """This record will never go through, however often it is tried."""


class UndecodableError(PermanentError):
    """The record is not what its topic may carry."""


class RecordTooLargeError(PermanentError):
    """The value is above the limit of a record; long texts travel as blobs."""


class PublishError(TransientError):
    """Not every record was acknowledged; those of the batch may or may not be on the topic."""


def classify(error: BaseException) -> Kind:
    """Say which kind an exception out of a handler is.

    Time-outs and everything the network, Kafka, MongoDB or DNS say when they are away pass;
    validation never will; what is not known is taken for a bug.
    """
    if isinstance(error, BaseExceptionGroup):
        kinds = {classify(inner) for inner in error.exceptions}
        return next(kind for kind in ("transient", "bug", "permanent") if kind in kinds)
    if isinstance(error, PermanentError | MessageSizeTooLargeError):
        return "permanent"
    if isinstance(error, TransientError | KafkaError | OSError) or mongo.is_transient(error):
        return "transient"
    if isinstance(error, pydantic.ValidationError | UnicodeError):
        return "permanent"
    return "transient" if _is_dns(error) else "bug"


def _is_dns(error: BaseException) -> bool:
    # By name: only two services resolve names, the others should not load the library for it.
    return any(kind.__module__ == "dns.exception" for kind in type(error).__mro__)
