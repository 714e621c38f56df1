"""Copies of values with a few fields changed."""

from typing import Any, TypeVar

T = TypeVar("T")


def but(value: T, **changes: Any) -> T:
    """A copy of a dataclass with other values, in a sixth of the time of `dataclasses.replace`.

    No constructor runs: for classes without slots, ``__post_init__`` or cached properties. Names of
    changes are not checked.
    """
    other = object.__new__(type(value))
    vars(other).update(vars(value), **changes)
    return other
