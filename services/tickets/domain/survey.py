"""Reads a rating out of a requester's words."""

import re

from shared.contracts.ticket_state import Survey

SCORE_BITS = 8
COMMENT_CHARS = 4000
SHORT_CHARS = 200
_STARS = re.compile(r"\s*([★⭐]{1,5})\ufe0f?[☆\s]*(?:[,.:;!–-]\s*)?(.*)", re.DOTALL)
_NUMBER = re.compile(
    r"\s*([1-5])(?:\s*/\s*5|\s+stars?)?\s*(?:$|[,:;!–-]\s*|\.\s*$|\n)(.*)", re.DOTALL
)


def of_token(number: int) -> tuple[int, int]:
    """The resolution and the score (0: none) packed into a survey token's number."""
    return number // SCORE_BITS, number % SCORE_BITS


def in_words(text: str) -> Survey | None:
    """The rating of an answer such as ``5, great``; None where it is an ordinary answer.

    Only a short text that begins with the score and a break counts: "3 phones are dead" does not.
    """
    if len(text.strip()) > SHORT_CHARS:
        return None
    if found := _STARS.fullmatch(text):
        return Survey(score=len(found[1]), comment=found[2].strip())
    if found := _NUMBER.fullmatch(text):
        return Survey(score=int(found[1]), comment=found[2].strip())
    return None


def rating(score: int, text: str) -> Survey | None:
    """The rating of a one-click mail: the token's score with the words as comment."""
    words = in_words(text)
    if not score:
        return words
    comment = words.comment if words else text.strip()
    return Survey(score=min(score, 5), comment=comment[:COMMENT_CHARS])
