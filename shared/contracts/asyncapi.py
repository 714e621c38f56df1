"""The AsyncAPI 3 document of the bus, generated from the topics and their records."""

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from shared.contracts.base import MAX_RECORD_BYTES, Record
from shared.contracts.topics import TOPICS, Topic

DAY_MS = 24 * 60 * 60 * 1000
Examples = Mapping[str, Mapping[str, Any]]
"""Golden examples by record type."""

_DESCRIPTION = f"""\
Everything that happens on a Postdesk help desk, and what may be asked of it, as records on Kafka.

Records are CloudEvents 1.0 in binary content mode: the attributes are Kafka headers that begin with
`ce_`, the value is the data alone, JSON of at most {MAX_RECORD_BYTES} bytes. Readers ignore fields
that they do not know. Delivery is at least once and in order for each key: the same `ce_id` may
come again, and is the same record then. The version is in the data; only additive changes are made
to it, a breaking one is a new type beside the old.
"""


def asyncapi_document(version: str, examples: Examples) -> dict[str, Any]:
    """The whole document; ``version`` is the program's."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Postdesk",
            "version": version,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS} | _dead_letter_channels(),
        "operations": _operations(),
        "components": {
            "messages": {
                _type(record): _message(topic, record, examples)
                for topic in TOPICS
                for record in topic.records
            }
            | {"dead-letter": _dead_letter()},
            "schemas": {"CloudEvent": _headers(), **_payloads()},
        },
    }


def _type(record: type[Record]) -> str:
    return str(record.model_fields["type"].default)


def _summary(record: type[Record]) -> str:
    return " ".join((record.__doc__ or "").split("\n\n")[0].split())


def _channel(topic: Topic) -> dict[str, Any]:
    return {
        "address": topic.name,
        "description": f"Written by {topic.owner}; read by {', '.join(topic.readers)}. "
        f"Key: {topic.key}."
        + (" An empty value deletes what its key names." if topic.compacted else ""),
        "messages": {
            _type(r): {"$ref": f"#/components/messages/{_type(r)}"} for r in topic.records
        },
        "bindings": {"kafka": _binding(topic, topic.name, _retention(topic))},
    }


def _retention(topic: Topic) -> dict[str, Any]:
    if topic.compacted:
        return {"cleanup.policy": ["compact"]}
    return {"cleanup.policy": ["delete"], "retention.ms": topic.retention_days * DAY_MS}


def _binding(topic: Topic, name: str, settings: dict[str, Any]) -> dict[str, Any]:
    return {
        "topic": name,
        "partitions": topic.partitions,
        "topicConfiguration": settings,
        "bindingVersion": "0.5.0",
    }


def _dead_letter_channels() -> dict[str, Any]:
    forever = {"cleanup.policy": ["delete"], "retention.ms": -1}
    return {
        topic.dead_letter_name: {
            "address": topic.dead_letter_name,
            "description": f"Records of {topic.name} that a reader gave up, as they were, with the "
            "reason in further headers. Kept until somebody removes them.",
            "messages": {"dead-letter": {"$ref": "#/components/messages/dead-letter"}},
            "bindings": {"kafka": _binding(topic, topic.dead_letter_name, forever)},
        }
        for topic in TOPICS
        if topic.dead_letters
    }


def _operations() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for topic in TOPICS:
        channel = {"$ref": f"#/channels/{topic.name}"}
        for owner in topic.owner.split(", "):
            found[f"{owner}.sends.{topic.name}"] = {"action": "send", "channel": channel}
        for reader in topic.readers:
            found[f"{reader}.receives.{topic.name}"] = {
                "action": "receive",
                "channel": channel,
                "bindings": {"kafka": {"groupId": _const(reader), "bindingVersion": "0.5.0"}},
            }
    return found


def _const(text: str) -> dict[str, Any]:
    return {"type": "string", "enum": [text]}


def _message(topic: Topic, record: type[Record], examples: Examples) -> dict[str, Any]:
    message: dict[str, Any] = {
        "name": _type(record),
        "title": record.__name__,
        "summary": _summary(record),
        "contentType": "application/json",
        "headers": {
            "allOf": [
                {"$ref": "#/components/schemas/CloudEvent"},
                {"properties": {"ce_type": _const(_type(record))}},
            ]
        },
        "payload": {"$ref": f"#/components/schemas/{record.__name__}"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": topic.key},
                "bindingVersion": "0.5.0",
            }
        },
    }
    if example := examples.get(_type(record)):
        message["examples"] = [{"headers": example["headers"], "payload": example["value"]}]
    return message


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


def _headers() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type"],
        "properties": {
            "ce_specversion": _const("1.0"),
            "ce_id": _text("Unique for each fact, the same on every try."),
            "ce_source": _text("Who says so, such as postdesk/tickets."),
            "ce_type": _text("The record's type, such as ticket.opened."),
            "ce_time": {**_text("When it happened, UTC (RFC 3339)."), "format": "date-time"},
            "ce_subject": _text("What it is about: the ticket's id, where there is one."),
            "ce_correlationid": _text("Id of the mail or command that started it all."),
            "ce_causationid": _text("Id of the record that directly led here."),
            "ce_dataschema": _text("Names type and version, such as urn:postdesk:ticket.opened:1."),
            "content-type": _const("application/json"),
        },
    }


def _dead_letter() -> dict[str, Any]:
    names = {
        "dlq_reason": "Why it was given up.",
        "dlq_error_class": "Class of the error.",
        "dlq_tries": "How often it was tried.",
        "dlq_service": "Who gave it up.",
        "dlq_topic": "Where it came from.",
        "dlq_partition": "Its partition there.",
        "dlq_offset": "Its offset there.",
        "dlq_timestamp": "When it was written there, in milliseconds since 1970.",
    }
    return {
        "name": "dead-letter",
        "title": "DeadLetter",
        "summary": "A record as it was, its own headers included, and why it was given up.",
        "headers": {
            "type": "object",
            "required": list(names),
            "properties": {name: _text(meaning) for name, meaning in names.items()},
        },
        "payload": {"description": "The value as it was, of any content."},
    }


def _payloads() -> dict[str, Any]:
    records = [(record, "validation") for topic in TOPICS for record in topic.records]
    _, schema = models_json_schema(
        records,  # type: ignore[arg-type]  # the mode is a literal
        ref_template="#/components/schemas/{model}",
    )
    return dict(sorted(schema["$defs"].items()))
