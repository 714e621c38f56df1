import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from shared.contracts import generate
from shared.contracts.base import Record
from shared.contracts.json_schema import file_name
from shared.contracts.topics import RECORDS, TOPICS

EVERY_RECORD = [pytest.param(record, id=name) for name, record in RECORDS.items()]


def example_of(record: type[Record]) -> dict[str, Any]:
    return json.loads((generate.EXAMPLES / file_name(record)).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    path = generate.ROOT / "docs" / "asyncapi.yaml"
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def test_it_has_what_version_3_asks_for(document: dict[str, Any]) -> None:
    Draft202012Validator(ASYNCAPI_3).validate(document)


def test_every_reference_in_it_leads_somewhere(document: dict[str, Any]) -> None:
    references = set(_references(document))

    assert len(references) > len(RECORDS)
    for reference in references:
        assert _resolve(document, reference), reference


def test_its_channels_are_the_topics_with_key_partitions_and_retention(
    document: dict[str, Any],
) -> None:
    for topic in TOPICS:
        channel = document["channels"][topic.name]
        binding = channel["bindings"]["kafka"]

        assert set(channel["messages"]) == {r.model_fields["type"].default for r in topic.records}  # fmt: skip
        assert binding["partitions"] == topic.partitions
        assert (binding["topicConfiguration"]["cleanup.policy"] == ["compact"]) is topic.compacted  # fmt: skip
        assert topic.key in channel["description"]
        assert (topic.dead_letter_name in document["channels"]) is topic.dead_letters


@pytest.mark.parametrize("record", EVERY_RECORD)
def test_its_headers_and_payload_accept_the_example(
    document: dict[str, Any], record: type[Record]
) -> None:
    example = example_of(record)
    message = document["components"]["messages"][example["headers"]["ce_type"]]

    for part, value in (("headers", example["headers"]), ("payload", example["value"])):
        schema = {**message[part], "components": document["components"]}
        Draft202012Validator(schema).validate(value)


def test_headers_without_an_id_are_refused(document: dict[str, Any]) -> None:
    headers = example_of(RECORDS["ticket.opened"])["headers"]
    message = document["components"]["messages"]["ticket.opened"]
    schema = {**message["headers"], "components": document["components"]}

    del headers["ce_id"]

    assert not Draft202012Validator(schema).is_valid(headers)


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [r for child in node.values() for r in _references(child)]
    if isinstance(node, list):
        return [r for child in node for r in _references(child)]
    return []


def _resolve(document: Any, reference: str) -> Any:
    for part in reference.removeprefix("#/").split("/"):
        document = document.get(part) if isinstance(document, dict) else None
    return document


def _map(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "minProperties": 1, "additionalProperties": schema}


_REFERENCE = {"type": "object", "required": ["$ref"], "additionalProperties": False, "properties": {"$ref": {"type": "string", "pattern": "^#/"}}}  # fmt: skip
_KAFKA = {
    "type": "object",
    "required": ["kafka"],
    "properties": {"kafka": {"type": "object", "required": ["bindingVersion"]}},
}
ASYNCAPI_3: dict[str, Any] = {
    "type": "object",
    "required": ["asyncapi", "info", "channels", "operations", "components"],
    "additionalProperties": False,
    "properties": {
        "asyncapi": {"const": "3.0.0"},
        "info": {"type": "object", "required": ["title", "version"]},
        "defaultContentType": {"type": "string"},
        "channels": _map(
            {
                "type": "object",
                "required": ["address", "messages", "bindings"],
                "additionalProperties": False,
                "properties": {
                    "address": {"type": "string"},
                    "description": {"type": "string"},
                    "messages": _map(_REFERENCE),
                    "bindings": _KAFKA,
                },
            }
        ),
        "operations": _map(
            {
                "type": "object",
                "required": ["action", "channel"],
                "additionalProperties": False,
                "properties": {
                    "action": {"enum": ["send", "receive"]},
                    "channel": _REFERENCE,
                    "bindings": _KAFKA,
                },
            }
        ),
        "components": {
            "type": "object",
            "required": ["messages", "schemas"],
            "additionalProperties": False,
            "properties": {
                "messages": {
                    "type": "object",
                    "propertyNames": {"pattern": r"^[\w.-]+$"},
                    "additionalProperties": {
                        "type": "object",
                        "required": ["name", "headers", "payload"],
                        "additionalProperties": False,
                        "properties": {
                            "name": {"type": "string"},
                            "title": {"type": "string"},
                            "summary": {"type": "string", "minLength": 1},
                            "contentType": {"const": "application/json"},
                            "headers": {"type": "object"},
                            "payload": {"type": "object"},
                            "bindings": _KAFKA,
                            "examples": {
                                "type": "array",
                                "items": {
                                    "type": "object",
                                    "required": ["headers", "payload"],
                                    "additionalProperties": False,
                                    "properties": {"headers": {}, "payload": {}},
                                },
                            },
                        },
                    },
                },
                "schemas": _map({"type": "object"}),
            },
        },
    },
}
