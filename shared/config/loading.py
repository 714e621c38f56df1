"""Reads the desk's file: a file that is wrong is refused with file, line and reason."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from shared.config.models import Desk
from shared.config.values import Section


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, at a line (1 is the first) of a file."""

    path: Path
    line: int
    where: str
    reason: str

    def __str__(self) -> str:
        """``desk.yaml:12: sla.policies: unknown calendar …``."""
        return f"{self.path}:{self.line}: {self.where + ': ' if self.where else ''}{self.reason}"


class ConfigurationError(Exception):
    """The file cannot be used; ``problems`` says why, all of it at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class LoadedDesk:
    """A valid configuration and the hash that events name it by."""

    desk: Desk
    digest: str


def load_desk(path: Path) -> LoadedDesk:
    """Read and check the file; raises `ConfigurationError`, also where it cannot be read."""
    try:
        raw = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError([Problem(path, 1, "", f"cannot be read: {error}")]) from error
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigurationError([Problem(path, line, "", str(error.problem))]) from error
    if not isinstance(raw, dict):
        raise ConfigurationError([Problem(path, 1, "", "is not a mapping of names to values")])
    try:
        desk = Desk.model_validate(_plain(raw))
    except ValidationError as error:
        raise ConfigurationError([_problem(path, raw, e) for e in error.errors()]) from error
    digest = hashlib.sha256(desk.model_dump_json().encode()).hexdigest()[:16]
    return LoadedDesk(desk, digest)


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(item) for item in node]
    return node


def _problem(path: Path, raw: Any, error: Any) -> Problem:
    cause = error.get("ctx", {}).get("error")
    location = error["loc"] + getattr(cause, "location", ())
    reason = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        reason = f"unknown setting{_hint(str(location[-1]), location[:-1])}"
    where = ".".join(str(part) for part in location)
    return Problem(path, _line_of(raw, location), where, reason)


def _hint(name: str, parents: Sequence[Any]) -> str:
    """The nearest setting's name, if one is near; unions and lists are looked through."""
    names = {field for section in Section.__subclasses__() for field in section.model_fields}
    near = get_close_matches(name, sorted(names - set(map(str, parents))), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _line_of(node: Any, location: Sequence[Any]) -> int:
    line = 1
    for part in location:
        marks = getattr(node, "lc", None)
        try:
            if isinstance(node, list):
                line = marks.item(part)[0] + 1 if marks else line
            elif isinstance(node, dict) and part in node:
                line = marks.key(part)[0] + 1 if marks else line
            else:
                return line
            node = node[part]
        except (KeyError, IndexError, TypeError):
            return line
    return line
