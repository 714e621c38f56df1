"""JSON Schemas of the records, one file for each type and version; committed beside this module."""

import json
from pathlib import Path
from typing import Any

from shared.contracts.base import Record
from shared.contracts.topics import RECORDS

FOLDER = Path(__file__).parent / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def file_name(record: type[Record]) -> str:
    """Name of a record's schema and example, such as ``ticket.opened.v1.json``."""
    fields = record.model_fields
    return f"{fields['type'].default}.v{fields['version'].default}.json"


def schema_of(record: type[Record]) -> dict[str, Any]:
    """What a reader may rely on: fields with a default are optional, unknown ones allowed."""
    return {"$schema": DIALECT, **record.model_json_schema(mode="validation")}


def all_schemas() -> dict[str, dict[str, Any]]:
    """Every record's schema by its file name."""
    return {file_name(record): schema_of(record) for record in RECORDS.values()}


def as_json(document: Any) -> str:
    """The text of a generated JSON file: stable, readable in a diff."""
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
