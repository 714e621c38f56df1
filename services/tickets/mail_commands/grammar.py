"""The form of a mail with commands: a block at the top of the new text, then the text.

Knows which words exist, not what they mean.
"""

import re
import unicodedata
from collections.abc import Container, Sequence
from dataclasses import dataclass

MAX_COMMANDS = 30
MAX_LINE_CHARS = 200
SIGNS = "#＃/@"
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_COMMAND = re.compile(r"([#/@])([^\W\d_][^\s:]*|\?)(?::(?=\s|$))?(?:\s+(.*))?")
_WORD = re.compile(r"(?:[^\W\d_]|-)+|\?")
_ESCAPED = re.compile(r"^\\(?=[#＃/@])", re.MULTILINE)
_OPENING = {'"': '"', "“": "”", "„": "“”", "«": "»", "”": "”"}


@dataclass(frozen=True, slots=True)
class CommandLine:
    """One line of the block: as written, its word folded for comparison, and what follows it."""

    line: str
    word: str
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """What a mail's new text says. ``stray`` are its lines that may have been meant as commands."""

    commands: tuple[CommandLine, ...] = ()
    text: str = ""
    stray: tuple[str, ...] = ()


def read(new_text: str, known: Container[str]) -> Block:
    """Split the new text into its block and the rest; ``known`` holds all words, folded."""
    lines = [_clean(line) for line in new_text.replace("\r\n", "\n").split("\n")]
    commands: list[CommandLine] = []
    end = 0
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        command = _command(line, known)
        if command is None:
            break
        commands.append(command)
        end = number + 1
    rest = lines[end:]
    stray = stray_lines("\n".join(rest), known, commands)
    text = _ESCAPED.sub("", "\n".join(rest)).strip("\n").rstrip()
    return Block(tuple(commands), text if text.strip() else "", stray)


def stray_lines(
    text: str, known: Container[str], commands: Sequence[CommandLine]
) -> tuple[str, ...]:
    """Lines of a text that may have been meant as commands.

    Known words alone; right below a command that ends in addresses, a line of nothing but
    addresses: many mail programs break a long line in two.
    """
    lines = [_clean(line) for line in text.split("\n")]
    is_list = bool(commands) and "@" in commands[-1].arguments
    broken = [line for line in lines[:1] if is_list and _is_addresses(line)]
    return (*broken, *(line for line in lines if _is_stray(line, known)))


def fold(word: str) -> str:
    """The form in which words are compared: NFKC, case folded, without accents."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", word).casefold())
    return "".join(c for c in plain if not unicodedata.combining(c))


def values(arguments: str) -> list[str]:
    """The values of a command: separated by space, quoted ones in any usual quotes whole."""
    found: list[str] = []
    rest = arguments.strip()
    while rest:
        closing = _OPENING.get(rest[0])
        if closing and (end := _first_of(rest, closing)) > 0:
            found.append(rest[1:end].strip())
            rest = rest[end + 1 :].lstrip()
            continue
        value, _, rest = rest.partition(" ")
        found.append(value)
        rest = rest.lstrip()
    return found


def unquoted(arguments: str) -> str:
    """A text argument without the quotes round the whole of it."""
    text = arguments.strip()
    closing = _OPENING.get(text[:1])
    whole = closing is not None and _first_of(text, closing) == len(text) - 1
    return text[1:-1].strip() if whole else text


def _is_addresses(line: str) -> bool:
    words = re.findall(r"[^\s,;]+", line)
    return bool(words) and line[0] not in SIGNS and all("@" in word for word in words)


def _first_of(text: str, closing: str) -> int:
    ends = [text.find(mark, 1) for mark in closing]
    return min((end for end in ends if end > 0), default=-1)


def _clean(line: str) -> str:
    """The line as a reader sees it: no invisible characters, every space a plain one."""
    line = _INVISIBLE.sub("", line)
    return re.sub(r"[\u00a0\u2007\u202f\u3000\t]", " ", line).rstrip()


def _command(line: str, known: Container[str]) -> CommandLine | None:
    """The command in a line that begins with a sign; None for text."""
    if line[0] not in SIGNS:
        return None
    found = _COMMAND.fullmatch(unicodedata.normalize("NFKC", line[0]) + line[1:].replace("：", ":"))
    if not found:
        return None
    sign, word, arguments = found[1], found[2], (found[3] or "").strip()
    folded = fold(word)
    if sign == "#" or folded in known:
        return CommandLine(line, folded, arguments)
    alone = not arguments and _WORD.fullmatch(word)
    return CommandLine(line, folded) if alone else None


def _is_stray(line: str, known: Container[str]) -> bool:
    """Whether a line of the text is a known command alone; a space before it escapes."""
    command = _command(line, known) if line else None
    return command is not None and command.word in known and not command.arguments
