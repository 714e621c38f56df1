"""Makes contracts from values that are valid already, without the time that checking them takes."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)


def built(kind: type[M], /, **values: Any) -> M:
    """The model with these values and the defaults of the others; nothing is checked."""
    # pydantic inspects the signature of each default factory anew: 30 times the rest's cost.
    fresh = {name: make() for name, make in _factories(kind) if name not in values}
    return kind.model_construct(**values, **fresh)


@cache
def _factories(kind: type[BaseModel]) -> tuple[tuple[str, Callable[[], Any]], ...]:
    made: Any = {name: field.default_factory for name, field in kind.model_fields.items()}
    return tuple((name, make) for name, make in made.items() if make is not None)
