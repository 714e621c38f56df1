import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import create_model

from shared.bus.records import Outgoing, encode
from shared.contracts import generate
from shared.contracts.base import MAX_RECORD_BYTES, Contract, Meta, Record
from shared.contracts.compatibility import breaking_changes, released_schemas
from shared.contracts.json_schema import all_schemas, file_name, schema_of
from shared.contracts.topics import RECORDS, TOPICS, Topic

EVERY_RECORD = [pytest.param(record, id=name) for name, record in RECORDS.items()]


def example_of(record: type[Record]) -> dict[str, Any]:
    return json.loads((generate.EXAMPLES / file_name(record)).read_text(encoding="utf-8"))


def topic_of(record: type[Record]) -> Topic:
    return next(topic for topic in TOPICS if record in topic.records)


def holds(whole: Any, part: Any) -> bool:
    """Whether all of ``part`` is in ``whole``, which may have more fields."""
    if isinstance(part, dict):
        return all(name in whole and holds(whole[name], one) for name, one in part.items())
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(holds, whole, part))
    return whole == part


def meta_of(headers: dict[str, str]) -> Meta:
    return Meta(
        id=headers["ce_id"],
        source=headers["ce_source"],
        time=headers["ce_time"],
        subject=headers.get("ce_subject", ""),
        correlation_id=headers.get("ce_correlationid", ""),
        causation_id=headers.get("ce_causationid", ""),
    )


@pytest.mark.parametrize("record", EVERY_RECORD)
def test_every_record_has_an_example_that_its_schema_accepts(record: type[Record]) -> None:
    value = example_of(record)["value"]

    Draft202012Validator(schema_of(record), format_checker=FormatChecker()).validate(value)


@pytest.mark.parametrize("record", EVERY_RECORD)
def test_the_model_reads_the_example_and_writes_the_same_again(record: type[Record]) -> None:
    example = example_of(record)

    read = record.model_validate(example["value"])
    key, value, headers = encode(
        Outgoing(topic_of(record), example["key"], read, meta_of(example["headers"]))
    )

    assert holds(json.loads(value or b""), example["value"])
    assert key.decode() == example["key"]
    assert {name: text.decode() for name, text in headers} == example["headers"]


@pytest.mark.parametrize("record", EVERY_RECORD)
def test_a_record_with_only_what_is_required_can_be_read(record: type[Record]) -> None:
    required = set(schema_of(record).get("required", ()))
    old = {name: v for name, v in example_of(record)["value"].items() if name in required}

    assert record.model_validate(old)


@pytest.mark.parametrize("record", EVERY_RECORD)
def test_fields_of_a_later_release_are_ignored(record: type[Record]) -> None:
    value = example_of(record)["value"]

    later = _with_unknown_fields(value)

    assert record.model_validate(later) == record.model_validate(value)


@pytest.mark.parametrize("record", EVERY_RECORD)
def test_an_old_reader_that_knows_only_what_is_required_reads_all_of_it(
    record: type[Record],
) -> None:
    required = {n: (f.annotation, f) for n, f in record.model_fields.items() if f.is_required()}
    old_reader = create_model("Old", __base__=Contract, **required)  # type: ignore[call-overload]

    read = old_reader.model_validate(example_of(record)["value"])

    assert read.model_dump() == record.model_validate(example_of(record)["value"]).model_dump(
        include=set(required)
    )


def test_no_example_is_left_without_a_record() -> None:
    assert {p.name for p in generate.EXAMPLES.glob("*.json")} == set(all_schemas())


def test_each_type_is_on_one_topic_only() -> None:
    types = [r.model_fields["type"].default for topic in TOPICS for r in topic.records]

    assert len(types) == len(set(types)) == len(RECORDS)


def test_the_committed_files_are_what_the_models_say() -> None:
    assert generate.differences() == []


def test_a_stale_or_left_over_file_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "FOLDER", tmp_path / "schemas")
    monkeypatch.setattr(generate, "_version", lambda: "0")
    monkeypatch.setattr(generate, "_preset", dict)
    generate.write()
    (tmp_path / "schemas" / "ticket.opened.v1.json").write_text("{}")
    (tmp_path / "schemas" / "ticket.gone.v1.json").write_text("{}")

    found = generate.differences()

    assert found == [
        "schemas/ticket.opened.v1.json is not up to date",
        "schemas/ticket.gone.v1.json has no record any more",
    ]


def test_nothing_of_the_last_release_was_broken() -> None:
    assert breaking_changes(released_schemas(), all_schemas()) == []


def test_the_longest_example_is_far_below_the_limit_of_a_record() -> None:
    sizes = [len(json.dumps(example_of(record)["value"])) for record in RECORDS.values()]

    assert max(sizes) < MAX_RECORD_BYTES / 4


def _with_unknown_fields(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _with_unknown_fields(v) for k, v in value.items()} | {"later": {"a": 1}}
    if isinstance(value, list):
        return [_with_unknown_fields(item) for item in value]
    return value
