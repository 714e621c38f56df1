"""The bus: batches in, records out, at least once both ways. FastStream is set up here alone."""

from shared.bus.bus import Bus
from shared.bus.consuming import Patience
from shared.bus.errors import (
    BusError,
    PermanentError,
    PublishError,
    RecordTooLargeError,
    TransientError,
    UndecodableError,
    classify,
)
from shared.bus.outbox import GROUP_ORDER, OutboxRelay, group, inner_parts, outbox_index
from shared.bus.pace import PROMPT, STANDS_BACK, UNHURRIED, Pace
from shared.bus.records import Outgoing, Received, decode, encode, meta_after

__all__ = [
    "GROUP_ORDER",
    "PROMPT",
    "STANDS_BACK",
    "UNHURRIED",
    "Bus",
    "BusError",
    "OutboxRelay",
    "Outgoing",
    "Pace",
    "Patience",
    "PermanentError",
    "PublishError",
    "Received",
    "RecordTooLargeError",
    "TransientError",
    "UndecodableError",
    "classify",
    "decode",
    "encode",
    "group",
    "inner_parts",
    "meta_after",
    "outbox_index",
]
