"""What a check of ``postdesk doctor`` is, and what it finds."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from deploy.local.facts import StackFacts

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One answer; ``cause`` says what was seen, the others are empty when all is well."""

    level: Level
    cause: str
    consequence: str = ""
    fix: str = ""


def ok(seen: str) -> Finding:
    """All is well; say what was seen."""
    return Finding("ok", seen)


def warning(cause: str, *, consequence: str, fix: str) -> Finding:
    """It works, but not for long or not well."""
    return Finding("warning", cause, consequence, fix)


def error(cause: str, *, consequence: str, fix: str) -> Finding:
    """It does not work."""
    return Finding("error", cause, consequence, fix)


@dataclass(frozen=True)
class Place:
    """What is examined: the state folder, and the stack if it runs."""

    state: Path
    stack: StackFacts | None


@dataclass(frozen=True)
class Check:
    """A named check; ``about`` is its one line in the list."""

    id: str
    about: str
    run: Callable[[Any], Finding]
    needs_stack: bool


CHECKS: dict[str, Check] = {}
"""All checks by id, in the order in which they run."""


def check(
    name: str, about: str
) -> Callable[[Callable[[Place], Finding]], Callable[[Place], Finding]]:
    """Register a check that works without a running stack."""

    def register(run: Callable[[Place], Finding]) -> Callable[[Place], Finding]:
        CHECKS[name] = Check(name, about, run, needs_stack=False)
        return run

    return register


def stack_check(
    name: str, about: str
) -> Callable[[Callable[[StackFacts], Finding]], Callable[[StackFacts], Finding]]:
    """Register a check of a running stack."""

    def register(run: Callable[[StackFacts], Finding]) -> Callable[[StackFacts], Finding]:
        CHECKS[name] = Check(name, about, run, needs_stack=True)
        return run

    return register
