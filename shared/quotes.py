"""Takes what we sent out of an answer to it: we know our words, so no marker has to be guessed.

Clients wrap quoted lines anew, mark them with signs or not at all, and put their own words around
them in any language. Words in their order survive all that, so lines are compared by their words.
"""

import re
from collections.abc import Iterable, Sequence

FEWEST_WORDS = 6
"""Fewer of our words in an answer may be chance: nothing is taken out then."""
SURE_WORDS = 4
"""A line of so many words that we wrote in this order is ours wherever it stands."""
CONTEXT_LINES = 3

_MARKS = re.compile(r"^(?:\s*[>|\u00a6])+")
_NOISE = re.compile(
    r"<(?:https?|mailto|tel):[^>]*>|\[(?:cid|https?|mailto):[^\]]*\]", re.IGNORECASE
)
_WORD = re.compile(r"\w+")
_FIELD = re.compile(r"\W*[^\W\d_][^:\n]{0,30}:\s+\S")
_RULE = re.compile(r"\W*[-_=*\u2014]{3,}.*[-_=*\u2014]{3,}\W*|\W*[-_=*\u2014]{5,}\W*")


def subtract(text: str, sent: str, reply: str, *, with_context: bool) -> str:
    """Give the new words of ``text``, an answer to our mail ``sent``.

    ``reply`` is what a reader who did not know our mail took for the new words. Words between our
    own are new too; ``with_context`` they are taken along, each behind the last lines of ours that
    it answers, marked with ``>``. Without, what is doubtful is left out: an agent's mail may quote
    what customers must not see. Where our mail is not found in the text, ``reply`` is the answer.
    """
    lines = text.split("\n")
    ours = _ours(lines, sent)
    if not ours:
        return reply
    kept = _placed(reply.split("\n"), lines) - ours
    if with_context:
        kept |= _between(lines, ours)
    kept -= _introductions(lines, kept, ours)
    return _rendered(lines, kept, ours if with_context else set())


def _ours(lines: Sequence[str], sent: str) -> set[int]:
    """Which lines hold nothing but our words; empty where too few of them are there."""
    known = f" {' '.join(_words(sent))} "
    words = [_words(line) for line in lines]
    sure = {
        i
        for i, some in enumerate(words)
        if len(some) >= SURE_WORDS and f" {' '.join(some)} " in known
    }
    if sum(len(words[i]) for i in sure) < FEWEST_WORDS:
        return set()
    whole = {" ".join(_words(line)) for line in sent.split("\n")}
    ours = set(sure)
    # What is too short to be sure of is ours beside a line that is, if it reads on from there.
    for step, order in ((-1, range(len(lines))), (1, range(len(lines) - 1, -1, -1))):
        for i in order:
            some = words[i]
            beside = _beside(words, i, step)
            if i in ours or not some or beside not in ours:
                continue
            pair = words[beside] + some if step < 0 else some + words[beside]
            if f" {' '.join(pair)} " in known or " ".join(some) in whole:
                ours.add(i)
    return ours


def _beside(words: Sequence[Sequence[str]], index: int, step: int) -> int:
    """The nearest line with words on that side; -1 where there is none."""
    index += step
    while 0 <= index < len(words) and not words[index]:
        index += step
    return index if 0 <= index < len(words) else -1


def _placed(reply: Sequence[str], lines: Sequence[str]) -> set[int]:
    """Where the lines of the reply stand in the whole text, in order."""
    found: set[int] = set()
    start = 0
    cells = [line.split() for line in lines]
    for wanted in filter(None, (line.split() for line in reply)):
        for i in range(start, len(lines)):
            if cells[i] == wanted:
                found.add(i)
                start = i + 1
                break
    return found


def _between(lines: Sequence[str], ours: set[int]) -> set[int]:
    """Unmarked lines between ours: somebody answered point by point."""
    inside = range(min(ours) + 1, max(ours))
    return {i for i in inside if i not in ours and lines[i].strip() and not _MARKS.match(lines[i])}


def _introductions(lines: Sequence[str], kept: set[int], ours: set[int]) -> set[int]:
    """Lines that a client wrote to lead to the quote: "… wrote:", From: and Sent:, a ruled line."""
    found: set[int] = set()
    for first in (i for i in sorted(ours) if _above(lines, i) not in ours):
        i = _above(lines, first)
        if i in kept and lines[i].rstrip().endswith(":"):
            found.add(i)
            above = _above(lines, i)
            if above == i - 1 and above in kept and not any(map(str.isdigit, lines[i])):
                found.add(above)  # wrapped: the date is in the line before
            i = _above(lines, min(found))
        fields = []
        while i in kept and _FIELD.match(lines[i]):
            fields.append(i)
            i = _above(lines, i)
        if len(fields) > 1:
            found.update(fields)
        elif fields:
            i = fields[0]
        if i in kept and _RULE.fullmatch(lines[i]):
            found.add(i)
    return found


def _above(lines: Sequence[str], index: int) -> int:
    index -= 1
    while index >= 0 and not lines[index].strip():
        index -= 1
    return index


def _rendered(lines: Sequence[str], kept: set[int], context: set[int]) -> str:
    out: list[str] = []
    for i in sorted(kept):
        above = _above(lines, i)
        if above in context:
            out += ["", *_context(lines, above, context)]
        elif above != i - 1:
            out.append("")
        out.append(lines[i].rstrip())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out)).strip("\n")


def _context(lines: Sequence[str], last: int, context: Iterable[int]) -> list[str]:
    """The last lines of ours that end there, as a quote."""
    block: list[str] = []
    while last in context and len(block) < CONTEXT_LINES:
        block.append(f"> {_MARKS.sub('', lines[last]).strip()}")
        last = _above(lines, last) if lines[last - 1].strip() else -1
    return block[::-1]


def _words(text: str) -> list[str]:
    unmarked = "\n".join(_MARKS.sub("", line) for line in text.split("\n"))
    return _WORD.findall(_NOISE.sub(" ", unmarked).casefold())
