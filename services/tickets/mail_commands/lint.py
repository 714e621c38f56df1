"""Checks every line of a block before any takes effect, and says what is wrong with each."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from services.tickets.domain.order import Act
from services.tickets.domain.permissions import is_allowed
from services.tickets.mail_commands import grammar
from services.tickets.mail_commands.arguments import Problem, Reader
from services.tickets.mail_commands.grammar import Block, CommandLine
from services.tickets.mail_commands.words import BY_NAME, Word, allowed_to, in_effect_order
from shared.config.people import Role

SHOWN_LINE_CHARS = 300


@dataclass(frozen=True, slots=True)
class Checked:
    """One line with its verdict: no ``code`` means that it is right."""

    line: str
    word: Word | None = None
    value: Any = None
    code: str = ""
    message: str = ""


def check(block: Block, reader: Reader) -> list[Checked]:
    """The verdict on each line of the block, then on stray commands in the text."""
    lines = [_check_line(command, reader) for command in block.commands]
    checked = _contradictions(lines)[: grammar.MAX_COMMANDS]
    if len(block.commands) > grammar.MAX_COMMANDS:
        over = block.commands[grammar.MAX_COMMANDS].line[:SHOWN_LINE_CHARS]
        message = f"more than {grammar.MAX_COMMANDS} commands"
        checked.append(Checked(over, code="E02", message=message))
    return checked + [
        Checked(stray[:SHOWN_LINE_CHARS], code="E13", message=_why_stray(stray))
        for stray in block.stray
    ]


def acts_of(lines: list[Checked]) -> tuple[Act, ...]:
    """The acts of lines that are all right."""
    return in_effect_order(
        line.word.act(line.value, number)
        for number, line in enumerate(lines)
        if line.word and not line.word.control
    )


def nearest(word: str, role: Role) -> str:
    """The hint for an unknown word, such as ``#close``; empty where none is near."""
    names = {grammar.fold(n): w.name for w in allowed_to(role) for n in (w.name, *w.aliases)}
    near = get_close_matches(word, list(names), n=3, cutoff=0.6)
    return " or ".join(dict.fromkeys(f"#{names[name]}" for name in near[:2]))


def _check_line(command: CommandLine, reader: Reader) -> Checked:
    shown = command.line[:SHOWN_LINE_CHARS]
    role: Role = reader.actor.role  # type: ignore[assignment] # a configured agent's role is one
    if len(command.line) > grammar.MAX_LINE_CHARS:
        message = f"longer than {grammar.MAX_LINE_CHARS} characters"
        return Checked(shown, code="E02", message=message)
    word = BY_NAME.get(command.word)
    if word is None:
        hint = nearest(command.word, role)
        message = f"unknown command.{f' Did you mean: {hint}' if hint else ' #help lists all'}"
        return Checked(shown, code="E01", message=message)
    if not is_allowed(role, word.role):
        return Checked(shown, word, code="E05", message=f"#{word.name} needs the role {word.role}")
    found = word.takes(command.arguments, reader)
    if isinstance(found, Problem):
        return Checked(shown, word, code=found.code, message=found.message)
    return Checked(shown, word, found.value, message=found.said)


def _contradictions(lines: list[Checked]) -> list[Checked]:
    """Mark each line that says another thing than an earlier one about the same matter."""
    seen: dict[str, str] = {}
    result = []
    for line in lines:
        matter = _matter(line.word) if line.word else ""
        if matter and matter in seen and not line.code:
            message = f"contradicts {seen[matter]!r}: one of them only"
            result.append(Checked(line.line, line.word, code="E07", message=message))
            continue
        if matter:
            seen[matter] = line.line
        result.append(line)
    return result


def _why_stray(line: str) -> str:
    if line[0] in grammar.SIGNS:
        return "a command below the text is never run; #send lets it go as text"
    return "the rest of a list? Begin each line with its word; #send lets this one go as text"


def _matter(word: Word) -> str:
    """What may be said once in a mail; empty for a word that may be repeated."""
    return "" if word.repeats else word.group or word.name
