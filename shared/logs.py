"""Logs: one JSON object a line on standard error, for this code and for libraries alike.

Ids, sizes and outcomes only, never what a mail says: so no variables of a stack, and no values that
an error quotes. Bind what goes through all lines of one piece
of work with ``structlog.contextvars.bound_contextvars(correlation_id=…)``.
"""

import logging
import sys
from traceback import extract_tb
from typing import Any

import orjson
import structlog
from pydantic import ValidationError

from shared.mongo import BulkWriteError, DuplicateKeyError

ERROR_CHARS = 400
FRAMES = 12

_QUIET = {
    "aiokafka": logging.CRITICAL,  # several errors a second while Kafka is away; health says so
    "shared.bus.faststream": logging.ERROR,  # says "Received" and "Processed" of each batch
    "pymongo": logging.WARNING,
    "mail.log": logging.WARNING,  # aiosmtpd: would log commands and lines of mail
    "asyncio": logging.WARNING,
}


def configure(service: str, *, level: str = "INFO") -> None:
    """Send structlog's and the standard library's records through one formatter."""
    structlog.contextvars.bind_contextvars(service=service)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _render_exception,
            structlog.processors.JSONRenderer(serializer=_dumps),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(least)


def describe(error: BaseException | None) -> str:
    """Give class and message, at most 400 characters, without the values that it may quote."""
    match error:
        case ValidationError():
            found = error.errors(include_input=False, include_context=False, include_url=False)
            places = [f"{'.'.join(map(str, one['loc']))}: {one['type']}" for one in found[:5]]
            text = f"{error.title} {places}"
        case BulkWriteError():
            failed = (error.details or {}).get("writeErrors", [])
            text = f"codes {sorted({one.get('code') for one in failed})}"
        case DuplicateKeyError():
            text = f"key {list((error.details or {}).get('keyPattern', {}))}"
        case _:
            text = str(error)
    return f"{type(error).__name__}: {text}"[:ERROR_CHARS]


def _render_exception(_logger: Any, _method: str, entry: Any) -> Any:
    given = entry.pop("exc_info", None)
    error = given[1] if isinstance(given, tuple) else given
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        frames = extract_tb(error.__traceback__)[-FRAMES:]
        entry["error"] = describe(error)
        entry["cause"] = describe(error.__cause__) if error.__cause__ else ""
        entry["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return entry


def _dumps(entry: Any, **_options: Any) -> str:
    return orjson.dumps(entry, default=repr).decode()
