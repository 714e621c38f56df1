"""Writes what is generated from the models: ``python -m shared.contracts.generate [--check]``.

JSON Schemas of the records, the AsyncAPI document, the configuration's reference and schema.
``--check`` writes nothing and fails where a committed file differs. The golden examples are not
written here: they are what has to go on working.
"""

import json
import sys
import tomllib
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from shared.config.reference import configuration_reference, configuration_schema
from shared.contracts.asyncapi import asyncapi_document
from shared.contracts.json_schema import FOLDER, all_schemas, as_json

ROOT = Path(__file__).parents[2]
EXAMPLES = Path(__file__).parent / "examples"


def examples() -> dict[str, dict[str, Any]]:
    """The golden examples by record type."""
    found = {}
    for path in sorted(EXAMPLES.glob("*.json")):
        example = json.loads(path.read_text(encoding="utf-8"))
        found[str(example["headers"]["ce_type"])] = example
    return found


def generated_files() -> dict[Path, str]:
    """The text of every generated file by its path."""
    docs = ROOT / "docs"
    return {
        **{FOLDER / name: as_json(schema) for name, schema in all_schemas().items()},
        docs / "asyncapi.yaml": _yaml(asyncapi_document(_version(), examples())),
        docs / "configuration.md": configuration_reference(_preset()),
        docs / "configuration.schema.json": as_json(configuration_schema()),
    }


def differences() -> list[str]:
    """Say which committed files are not what the models say."""
    wanted = generated_files()
    lines = [
        f"{path.relative_to(ROOT)} is not up to date"
        for path, text in wanted.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    extra = {path for path in FOLDER.glob("*.json") if path not in wanted}
    return lines + [f"{path.relative_to(ROOT)} has no record any more" for path in sorted(extra)]


def write() -> None:
    """Write every file; schemas of records that are gone are removed."""
    wanted = generated_files()
    for path in FOLDER.glob("*.json"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])


def _preset() -> dict[str, Any]:
    path = ROOT / "deploy" / "presets" / "demo.yaml"
    preset: dict[str, Any] = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    return preset


def _yaml(document: dict[str, Any]) -> str:
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.width = 100
    writer.allow_unicode = True
    text = StringIO()
    writer.dump(document, text)
    return text.getvalue()


def main(arguments: list[str]) -> int:
    """Write, or check; 0 where all is well."""
    if arguments != ["--check"]:
        write()
        return 0
    found = differences()
    for line in found:
        sys.stderr.write(line + "\n")
    if found:
        sys.stderr.write("Run: python -m shared.contracts.generate\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
