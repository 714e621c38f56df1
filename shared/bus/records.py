"""Records as Kafka carries them: CloudEvents 1.0 in binary mode, to bytes and back.

The attributes are headers, the value is the data alone (CloudEvents Kafka binding, 3.2).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Generic, Protocol, TypeVar

from pydantic import ValidationError

from shared.bus.errors import RecordTooLargeError, UndecodableError
from shared.contracts.base import MAX_RECORD_BYTES, Meta, Record
from shared.contracts.topics import Topic

R = TypeVar("R", bound=Record | None)
Headers = list[tuple[str, bytes]]

CONTENT_TYPE = b"application/json"
_EXTENSIONS = ("correlationid", "causationid")


@dataclass(frozen=True, slots=True)
class Received(Generic[R]):
    """A record that was read; ``record`` is None only for a deletion on a compacted topic."""

    record: R
    meta: Meta
    topic: str
    partition: int
    offset: int
    key: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to publish; None deletes the key and is for compacted topics only."""

    topic: Topic
    key: str
    record: Record | None
    meta: Meta


def meta_after(
    cause: Meta, *, record_id: str, source: str, time: datetime, subject: str = ""
) -> Meta:
    """Give the attributes of a record that follows from another: same story, next step."""
    return Meta(
        id=record_id,
        source=source,
        time=time,
        subject=subject,
        correlation_id=cause.correlation_id or cause.id,
        causation_id=cause.id,
    )


class RawRecord(Protocol):
    """What is used of aiokafka's record; ``timestamp`` in milliseconds since 1970."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Any


def encode(outgoing: Outgoing) -> tuple[bytes, bytes | None, Headers]:
    """Give key, value and headers.

    Raises `RecordTooLargeError` above 64 KiB, and ValueError for a record that its topic may not
    carry.
    """
    record, topic = outgoing.record, outgoing.topic
    if record is None:
        if not topic.compacted:
            raise ValueError(f"{topic.name} is not compacted, so nothing can be deleted on it")
        return outgoing.key.encode(), None, _headers(outgoing.meta)
    if not isinstance(record, topic.records):
        raise ValueError(f"{topic.name} does not carry {record.type}")  # noqa: TRY004 - see above
    value = record.model_dump_json().encode()
    if len(value) > MAX_RECORD_BYTES:
        raise RecordTooLargeError(f"{record.type} has {len(value)} bytes")
    kind = [
        ("ce_type", record.type.encode()),
        ("ce_dataschema", schema_of(record.type, record.version).encode()),
        ("content-type", CONTENT_TYPE),
    ]
    return outgoing.key.encode(), value, kind + _headers(outgoing.meta)


def schema_of(record_type: str, version: int) -> str:
    """Name the schema of a record's data, a URI as `dataschema` asks."""
    return f"urn:postdesk:{record_type}:{version}"


def _headers(meta: Meta) -> Headers:
    named = (
        ("ce_specversion", "1.0"),
        ("ce_id", meta.id),
        ("ce_source", meta.source),
        ("ce_time", meta.time.isoformat()),
        ("ce_subject", meta.subject),
        ("ce_correlationid", meta.correlation_id),
        ("ce_causationid", meta.causation_id),
    )
    return [(name, value.encode()) for name, value in named if value]


def decode(topic: Topic, raw: RawRecord) -> Received[Any]:
    """Read a record of ``topic``; fields that this release does not know are ignored.

    Raises `UndecodableError` for a type or version that the topic does not carry, a value that is
    not valid, and attributes that are missing.
    """
    headers = _text(raw.headers)
    if raw.value is None and topic.compacted:
        return _received(None, _meta_of_deletion(headers, raw), raw)
    kinds = _readable(topic).get(headers.get("ce_type", ""))
    if not kinds:
        raise UndecodableError(f"{topic.name} does not carry type {headers.get('ce_type')!r}")
    try:
        return _received(_read(kinds, raw.value or b""), _meta(headers), raw)
    except ValidationError as error:
        raise UndecodableError(_reason(error)) from error


def _received(record: Record | None, meta: Meta, raw: RawRecord) -> Received[Any]:
    key = (raw.key or b"").decode("utf-8", "replace")
    return Received(record, meta, raw.topic, raw.partition, raw.offset, key)


def _text(headers: Any) -> dict[str, str]:
    try:
        return {
            name: (value or b"").decode()
            for name, value in headers
            if name.startswith("ce_") or name in _EXTENSIONS
        }
    except UnicodeDecodeError as error:
        raise UndecodableError("an attribute is not UTF-8") from error


@cache
def _readable(topic: Topic) -> dict[str, tuple[type[Record], ...]]:
    """Give every class that reads a type; one for each version, the newest first."""
    found: dict[str, tuple[type[Record], ...]] = {}
    for kind in topic.records:
        name = kind.model_fields["type"].default
        found[name] = (kind, *found.get(name, ()))
    return found


def _read(kinds: tuple[type[Record], ...], value: bytes) -> Record:
    for kind in kinds[:-1]:
        try:
            return kind.model_validate_json(value)
        except ValidationError:
            continue
    return kinds[-1].model_validate_json(value)


def _meta(headers: dict[str, str]) -> Meta:
    # Extensions are read without their prefix too: some producers write them so.
    return Meta.model_validate(
        {
            "id": headers.get("ce_id"),
            "source": headers.get("ce_source"),
            "time": headers.get("ce_time"),
            "subject": headers.get("ce_subject", ""),
            "correlation_id": headers.get("ce_correlationid", headers.get("correlationid", "")),
            "causation_id": headers.get("ce_causationid", headers.get("causationid", "")),
        }
    )


def _meta_of_deletion(headers: dict[str, str], raw: RawRecord) -> Meta:
    """Any tool may delete a key with an empty value and no attributes at all."""
    try:
        return _meta(headers)
    except ValidationError:
        return Meta(
            id=f"{raw.topic}/{raw.partition}/{raw.offset}",
            source="unknown",
            time=datetime.fromtimestamp(max(raw.timestamp, 0) / 1000, UTC),
        )


def _reason(error: ValidationError) -> str:
    """Where it is wrong and why, without the content."""
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{error.error_count()} invalid, first {place or 'value'}: {first['msg']}"[:500]
