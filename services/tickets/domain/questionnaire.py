"""Questions of a department that a new ticket's requester is asked, and reading their answers."""

import re
from collections.abc import Sequence

from shared.config.models import Desk
from shared.config.people import Mailbox
from shared.contracts.ticket_state import ANSWER_CHARS, AskedQuestion, GivenAnswer

_MARKS = re.compile(r"^(?:\s*[>|\u00a6])+")
_NUMBERED = re.compile(r"\(?(\d{1,2})(?:\s*[.):\-])+\s*(.*)")
_WORD = re.compile(r"\w+")
_FEWEST_WORDS = 3
"""So many words from its beginning on are a question that was wrapped."""


def questions_of(box: Mailbox, language: str, desk: Desk) -> list[AskedQuestion]:
    """What is asked when a ticket opens in that mailbox, in that language where it is given."""
    for one in desk.intake.questionnaires:
        if box.department in one.departments:
            return [
                AskedQuestion(field=q.field, text=q.translations.get(language[:2], q.text))
                for q in one.questions
            ]
    return []


def answers_in(
    reply: str, text: str, asked: Sequence[AskedQuestion], *, is_first: bool
) -> list[GivenAnswer]:
    """The answers, in the order of the questions.

    An answer is the paragraph below a question or behind its number, or the rest of its line.

    ``reply`` is the new words with the lines of ours that they answer, ``text`` the whole mail.
    Numbers alone count only until something was answered (``is_first``): later mails may number
    what they like.
    """
    found: dict[int, str] = {}
    current = -1
    for line in reply.split("\n"):
        bare = _MARKS.sub("", line).strip()
        number, rest = _marked(bare, asked, by_number=is_first and bare == line.strip())
        if number >= 0:
            current = number
            found |= {number: rest} if rest and number not in found else {}
        elif not bare:
            current = -1 if current in found else current
        elif current >= 0 and bare == line.strip():
            found[current] = f"{found.get(current, '')} {bare}"
    for line in text.split("\n"):  # written into the quoted line itself
        number, rest = _marked(_MARKS.sub("", line).strip(), asked, by_number=False)
        if number not in found and rest:
            found[number] = rest
    if len(asked) == 1 and is_first and not found and "\n\n" not in reply.strip():
        found[0] = reply
    whole = {n: " ".join(found[n].split())[:ANSWER_CHARS] for n in sorted(found)}
    return [GivenAnswer(field=asked[n].field, value=said) for n, said in whole.items() if said]


def _marked(line: str, asked: Sequence[AskedQuestion], *, by_number: bool) -> tuple[int, str]:
    """Which question the line repeats or numbers, from 0, and what follows in it; else -1."""
    for number, question in enumerate(asked):
        rest = _after(question.text, line, number + 1)
        if rest is not None:
            return number, rest
    found = _NUMBERED.fullmatch(line) if by_number else None
    if found and 1 <= int(found[1]) <= len(asked):
        return int(found[1]) - 1, found[2]
    return -1, ""


def _after(question: str, line: str, number: int) -> str | None:
    """What follows the question in a line that begins with it; None for any other line."""
    wanted = _words(question)
    given = list(_WORD.finditer(line))
    if given and given[0][0] == str(number):
        given = given[1:]
    words = [one[0].casefold() for one in given]
    if wanted and words[: len(wanted)] == wanted:
        return line[given[len(wanted) - 1].end() :].lstrip(" ?.:!-\u2013\t")
    is_begun = len(words) >= _FEWEST_WORDS and wanted[: len(words)] == words
    return "" if is_begun else None


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]
