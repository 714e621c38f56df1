from enum import Enum
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, create_model

from shared.contracts.compatibility import breaking_changes

Kind = Literal["public", "note"]


class Part(BaseModel):
    name: str = Field(max_length=100)
    size: int = Field(ge=0)


class Released(BaseModel):
    ticket_id: str
    kind: Kind
    score: int = Field(default=1, ge=1, le=5)
    parts: list[Part] = Field(default_factory=list, max_length=10)
    due_at: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)


def found(**changed: Any) -> list[str]:
    """What the check says when fields of the released model are replaced; None removes one."""
    fields: dict[str, Any] = {
        name: (field.annotation, field) for name, field in Released.model_fields.items()
    }
    fields = {n: f for n, f in (fields | changed).items() if f is not None}
    new = create_model("Changed", **fields)
    return breaking_changes(
        {"thing.happened.v1.json": Released.model_json_schema()},
        {"thing.happened.v1.json": new.model_json_schema()},
    )


class Colour(Enum):
    RED = "red"


@pytest.mark.parametrize(
    "addition",
    [
        {},
        {"note": (str, "")},
        {"kind": (Literal["public", "note", "system"], ...)},
        {"kind": (str, ...)},
        {"score": (int, Field(default=1, ge=0, le=10))},
        {"score": (float, Field(default=1, ge=1, le=5))},
        {"ticket_id": (str | None, ...)},
        {"due_at": (str | int | None, None)},
        {"parts": (list[Part], Field(default_factory=list, max_length=20))},
    ],
)
def test_an_additive_change_is_allowed(addition: dict[str, Any]) -> None:
    assert found(**addition) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"score": None}, "thing.happened.v1.score: was removed"),
        ({"note": (str, ...)}, "thing.happened.v1.note: is newly required, old records lack it"),
        ({"due_at": (str | None, ...)}, "thing.happened.v1.due_at: is newly required, old records lack it"),
        ({"ticket_id": (str, "")}, "thing.happened.v1.ticket_id: is no longer required, but old readers need it"),
        ({"kind": (Literal["public"], ...)}, "thing.happened.v1.kind: no longer allows ['note']"),
        ({"kind": (Colour, ...)}, "thing.happened.v1.kind: no longer allows ['note', 'public']"),
        ({"ticket_id": (Kind, ...)}, "thing.happened.v1.ticket_id: no longer allows all others"),
        ({"ticket_id": (int, ...)}, "thing.happened.v1.ticket_id: type string became integer"),
        ({"due_at": (str, "")}, "thing.happened.v1.due_at: type null became string"),
        ({"score": (int, Field(default=1, ge=1, le=4))}, "thing.happened.v1.score: maximum was lowered to 4"),
        ({"score": (int, Field(default=2, ge=2, le=5))}, "thing.happened.v1.score: minimum was raised to 2"),
        ({"ticket_id": (str, Field(max_length=10))}, "thing.happened.v1.ticket_id: maxLength was lowered to 10"),
        ({"ticket_id": (str, Field(pattern="^T"))}, "thing.happened.v1.ticket_id: pattern became '^T'"),
        ({"labels": (dict[str, int], Field(default_factory=dict))}, "thing.happened.v1.labels[]: type string became integer"),
    ],
)  # fmt: skip
def test_a_change_that_breaks_old_records_or_old_readers_is_refused(
    change: dict[str, Any], said: str
) -> None:
    assert found(**change) == [said]


def test_a_change_inside_a_nested_part_is_refused() -> None:
    class Smaller(BaseModel):
        name: str = Field(max_length=50)

    assert found(parts=(list[Smaller], Field(default_factory=list, max_length=10))) == [
        "thing.happened.v1.parts[].size: was removed",
        "thing.happened.v1.parts[].name: maxLength was lowered to 50",
    ]


def test_a_record_that_is_gone_is_refused_and_a_new_one_is_not() -> None:
    schema = Released.model_json_schema()

    assert breaking_changes({"a.v1.json": schema}, {"a.v2.json": schema}) == ["a.v1: was removed"]
    assert breaking_changes({}, {"a.v1.json": schema}) == []
