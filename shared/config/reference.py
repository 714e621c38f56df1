"""The reference of all settings and their JSON Schema, generated from the models."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from shared.config.models import Desk
from shared.config.values import DURATION_SCHEMA, Section

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_INTRODUCTION = """\
# Configuration reference

Generated from the models in `shared/config/` by `python -m shared.contracts.generate`.

One YAML file describes the desk. All services read it when they start and follow it within
seconds when it changes; a file that is wrong is refused with file, line and reason. Check a file
with `postdesk config check FILE`. For completion in an editor, point it to
[`configuration.schema.json`](configuration.schema.json). A whole file to begin with is
`deploy/presets/demo.yaml`; the examples below are taken from such files.

Durations are seconds or text such as `30m`, `8h`, `1h30m`, `7d`. A setting without a default has to
be given.
"""
_SIGNS = {"minimum": "≥", "maximum": "≤", "exclusiveMinimum": ">", "exclusiveMaximum": "<"}
# For settings that the preset leaves alone and whose default says little.
_MORE_EXAMPLES = {
    "certificate": "/etc/postdesk/tls.pem",
    "trusted_authserv": ["mx.desk.example"],
    "next_response": "4h",
    "open": {"2026-12-24": [["09:00", "12:00"]]},
    "segments": ["premium"],
    "language": "de",
    "exempt": ["192.0.2.25"],
    "blocked": ["seller@shop.example", "spam.example"],
    "who": "monitoring.example",
    "per_hour": 5,
    "per_day": 20,
}


def configuration_schema() -> dict[str, Any]:
    """JSON Schema of the desk's file, for editors and other programs."""
    return {"$schema": DIALECT, **Desk.model_json_schema(mode="validation")}


def configuration_reference(preset: Mapping[str, Any]) -> str:
    """Every setting with type, default, meaning and an example, in Markdown.

    ``preset`` is a whole desk, as read from its file; examples are taken from it where it has any.
    """
    schema = configuration_schema()
    parts = [_INTRODUCTION]
    for path, model, values in _sections("", Desk, [preset]):
        properties = _properties(schema, model)
        parts.append(_section(path, model, properties, values))
    return "\n".join(parts)


def _sections(
    path: str, model: type[BaseModel], values: list[Any]
) -> Iterator[tuple[str, type[BaseModel], list[Any]]]:
    yield path, model, values
    for name, child, mark in _children(model):
        found = [v[name] for v in values if isinstance(v, dict) and name in v]
        yield from _sections(f"{path}{name}{mark}.", child, _members(found, mark))


def _children(model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel], str]]:
    """Settings that hold a section, many in a list (``[]``) or many by name (``.NAME``)."""
    schema = model.model_json_schema()
    sections = {one.__name__: one for one in Section.__subclasses__()}
    for name, one in _properties(schema, model).items():
        for mark, inner in (
            ("", one),
            ("[]", one.get("items", {})),
            (".NAME", one.get("additionalProperties", {})),
        ):
            if isinstance(inner, dict) and "$ref" in inner:
                yield name, sections[inner["$ref"].rpartition("/")[2]], mark


def _members(values: list[Any], mark: str) -> list[Any]:
    if mark == "[]":
        return [item for value in values for item in value]
    if mark == ".NAME":
        return [item for value in values for item in value.values()]
    return values


def _properties(schema: Mapping[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    whole = schema if schema.get("title") == model.__name__ else schema["$defs"][model.__name__]
    properties: dict[str, Any] = whole["properties"]
    return properties


def _section(
    path: str, model: type[BaseModel], properties: Mapping[str, Any], values: list[Any]
) -> str:
    title = f"`{path.rstrip('.')}`" if path else "The file"
    lines = [f"## {title}", "", " ".join((model.__doc__ or "").split()), ""]
    lines += [
        "| setting | type | default | meaning | example |",
        "| --- | --- | --- | --- | --- |",
    ]
    for attribute, field in model.model_fields.items():
        name = field.alias or attribute
        schema = properties[name]
        default = "" if field.is_required() else _default(_default_of(field), schema)
        meaning = " ".join((field.description or "").replace("``", "`").split())
        row = (f"`{name}`", _type(schema), default, meaning, _example(name, schema, values))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
    return "\n".join(lines) + "\n"


def _default_of(field: FieldInfo) -> Any:
    return field.get_default(call_default_factory=True, validated_data={})


def _default(value: Any, schema: Mapping[str, Any]) -> str:
    if isinstance(value, BaseModel):
        return "its own defaults"
    return _code(_duration(value) if _is_duration(schema) and value is not None else value)


def _example(name: str, schema: Mapping[str, Any], values: list[Any]) -> str:
    for value in values:
        if isinstance(value, dict) and name in value:
            text = json.dumps(value[name], ensure_ascii=False, default=str)
            if _is_section(schema) or len(text) > 70:  # noqa: PLR2004 - what fits a table's cell
                return "see the preset"
            return _code(value[name])
    return _code(_MORE_EXAMPLES[name]) if name in _MORE_EXAMPLES else ""


def _is_section(schema: Mapping[str, Any]) -> bool:
    return "$ref" in schema or "$ref" in schema.get("items", {})


def _code(value: Any) -> str:
    if value is None or value == "":
        return "empty"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return f"`{text}`".replace("\n", "\\n")


def _is_duration(schema: Mapping[str, Any]) -> bool:
    return all(one in schema.get("anyOf", ()) for one in DURATION_SCHEMA["anyOf"])


def _duration(seconds: int) -> str:
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _type(schema: Mapping[str, Any]) -> str:
    if _is_duration(schema) or "$ref" in schema:
        return "section" if "$ref" in schema else "duration"
    if "anyOf" in schema:
        kinds = [_type(one) for one in schema["anyOf"]]
        return " or ".join(kind for kind in kinds if kind != "null")
    if "enum" in schema or "const" in schema:
        listed = schema.get("enum", [schema.get("const")])
        return ", ".join(f"`{value}`" for value in listed)
    if schema.get("type") == "array":
        items = schema.get("items")
        return f"list of {_plural(_type(items))}" if items else "pair"
    if schema.get("type") == "object":
        return _mapping_type(schema)
    return _scalar_type(schema)


def _scalar_type(schema: Mapping[str, Any]) -> str:
    kind = str(schema.get("type"))
    words = {"string": "text", "integer": "whole number", "boolean": "true or false"}
    return words.get(kind, kind) + _limits(schema)


def _plural(kind: str) -> str:
    return {
        "section": "sections",
        "text": "texts",
        "pair": "pairs",
        "whole number": "whole numbers",
    }.get(kind, kind)


def _mapping_type(schema: Mapping[str, Any]) -> str:
    inner = schema.get("additionalProperties", {})
    return (
        f"{_plural(_type(inner)).replace('list ', 'lists ')} by name"
        if isinstance(inner, dict)
        else "mapping"
    )


def _limits(schema: Mapping[str, Any]) -> str:
    limits = [f"{sign} {schema[word]:.9g}" for word, sign in _SIGNS.items() if word in schema]
    if "maxLength" in schema:
        limits.append(f"up to {schema['maxLength']} characters")
    return f" {', '.join(limits)}" if limits else ""
