"""Refuses changes of the contracts that are not additive.

``python -m shared.contracts.compatibility`` compares the models with ``schemas/released/``, the
schemas of the last release. Allowed are new types, new optional fields and wider values; readers
are upgraded before writers, since an old reader gives a value that it does not know to its dead
letters. ``--release`` makes the present schemas the released ones; that belongs to the commit of a
release.
"""

import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.contracts.json_schema import FOLDER, all_schemas, as_json

RELEASED = FOLDER / "released"

Schema = Mapping[str, Any]

_UPPER = ("maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties")
_LOWER = ("minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties")
_SAME = ("pattern", "format")


def released_schemas(folder: Path = RELEASED) -> dict[str, dict[str, Any]]:
    """The last release's schemas by file name; none before the first release."""
    return {
        path.name: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.json"))
    }


def breaking_changes(old: Mapping[str, Schema], new: Mapping[str, Schema]) -> list[str]:
    """Say for each record what readers or writers of the old schemas would stumble over."""
    found: list[str] = []
    for name, schema in old.items():
        record = name.removesuffix(".json")
        if name not in new:
            found.append(f"{record}: was removed")
            continue
        found += [f"{record}{where}: {what}" for where, what in _breaks(schema, new[name])]
    return found


def _breaks(old: Schema, new: Schema) -> Iterator[tuple[str, str]]:
    yield from _compare(_Node(old, old), _Node(new, new), "", frozenset())


class _Node:
    """A piece of a schema, and the whole that its references point into."""

    def __init__(self, schema: Schema, root: Schema) -> None:
        self.root = root
        self.name = str(schema.get("$ref", ""))
        self.schema: Schema = root
        self.schema = self._resolve(schema)

    def _resolve(self, schema: Schema) -> Schema:
        if "$ref" not in schema:
            return schema
        target: Schema = self.root
        for part in str(schema["$ref"]).removeprefix("#/").split("/"):
            target = target[part]
        return target

    def child(self, schema: Schema) -> "_Node":
        return _Node(schema, self.root)

    def alternatives(self) -> list["_Node"]:
        """The schemas of which one has to hold; a plain schema is its only alternative."""
        return [self.child(s) for s in self.schema.get("anyOf", ())] or [self]

    def values(self) -> list[Any] | None:
        """The only values allowed, or None where there is no such list."""
        if "const" in self.schema:
            return [self.schema["const"]]
        listed = self.schema.get("enum")
        return None if listed is None else list(listed)


_Found = Iterator[tuple[str, str]]


def _compare(old: _Node, new: _Node, where: str, seen: frozenset[str]) -> _Found:
    if old.name and old.name in seen:
        return
    seen |= {old.name} if old.name else set()
    if "anyOf" in old.schema or "anyOf" in new.schema:
        yield from _compare_alternatives(old, new, where, seen)
        return
    if not _types(old) <= _types(new):
        yield where, f"type {_shown(old)} became {_shown(new)}"
        return
    yield from _compare_values(old, new, where)
    yield from _compare_fields(old, new, where, seen)
    for part in ("items", "additionalProperties"):
        yield from _compare_part(old, new, where, part, seen)


def _compare_alternatives(old: _Node, new: _Node, where: str, seen: frozenset[str]) -> _Found:
    for one in old.alternatives():
        tries = [list(_compare(one, other, where, seen)) for other in new.alternatives()]
        if all(tries):
            yield min(tries, key=len)[0]


def _compare_values(old: _Node, new: _Node, where: str) -> _Found:
    before, after = old.values(), new.values()
    if after is not None and (before is None or not set(before) <= set(after)):
        gone = "all others" if before is None else sorted(set(before) - set(after), key=str)
        yield where, f"no longer allows {gone}"
    for word in _UPPER:
        if new.schema.get(word, float("inf")) < old.schema.get(word, float("inf")):
            yield where, f"{word} was lowered to {new.schema[word]}"
    for word in _LOWER:
        if new.schema.get(word, float("-inf")) > old.schema.get(word, float("-inf")):
            yield where, f"{word} was raised to {new.schema[word]}"
    for word in _SAME:
        if word in new.schema and new.schema[word] != old.schema.get(word):
            yield where, f"{word} became {new.schema[word]!r}"


def _compare_fields(old: _Node, new: _Node, where: str, seen: frozenset[str]) -> _Found:
    before, after = old.schema.get("properties", {}), new.schema.get("properties", {})
    needed, needs = set(old.schema.get("required", ())), set(new.schema.get("required", ()))
    for name in sorted(before.keys() - after.keys()):
        yield f"{where}.{name}", "was removed"
    for name in sorted(needs - needed):
        yield f"{where}.{name}", "is newly required, old records lack it"
    for name in sorted((needed - needs) & after.keys()):
        yield f"{where}.{name}", "is no longer required, but old readers need it"
    for name in sorted(before.keys() & after.keys()):
        pair = old.child(before[name]), new.child(after[name])
        yield from _compare(*pair, f"{where}.{name}", seen)


def _compare_part(old: _Node, new: _Node, where: str, part: str, seen: frozenset[str]) -> _Found:
    before, after = old.schema.get(part), new.schema.get(part)
    if isinstance(after, dict):
        pair = old.child(before if isinstance(before, dict) else {}), new.child(after)
        yield from _compare(*pair, f"{where}[]", seen)
    elif after is False and before is not False:
        yield where, "no longer allows further fields"


_ALL = frozenset({"null", "boolean", "number", "integer", "string", "array", "object"})


def _types(node: _Node) -> frozenset[str]:
    named = node.schema.get("type")
    if named is None:
        return _ALL
    types = frozenset([named] if isinstance(named, str) else named)
    return types | {"integer"} if "number" in types else types


def _shown(node: _Node) -> str:
    return "any" if _types(node) == _ALL else "/".join(sorted(_types(node)))


def _release() -> None:
    shutil.rmtree(RELEASED, ignore_errors=True)
    RELEASED.mkdir(parents=True)
    for name, schema in all_schemas().items():
        (RELEASED / name).write_text(as_json(schema), encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Print what breaks; 0 where nothing does."""
    if arguments == ["--release"]:
        _release()
        return 0
    found = breaking_changes(released_schemas(), all_schemas())
    for line in found:
        sys.stderr.write(line + "\n")
    if found:
        sys.stderr.write("Only additive changes: make a new class with the next version instead.\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
