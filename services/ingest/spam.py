"""Whether a filter of ours calls a mail spam; pure.

A sender can write a filter's fields too. Each host puts its Received field above what the mail has
when it comes (RFC 5321, 4.4), so what stands above those of our own hosts is not the sender's.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from shared.config.intake import SpamFilter

_SCORE = re.compile(r"score=(-?\d+(?:\.\d+)?)")
_RATIO = re.compile(r"\[(-?\d+(?:\.\d+)?)\s*/")


class SpamField(NamedTuple):
    """A filter's field as the parser found it; ``hops`` counts the Received fields above it."""

    hops: int
    name: str
    value: str


def verdict(fields: Sequence[SpamField], hop_count: int, settings: SpamFilter) -> str:
    """The field that calls the mail spam, for people; empty where none that counts does."""
    for field in fields:
        if _counts(field, hop_count, settings) and _is_spam(field, settings.score):
            return f"{field.name}: {field.value}"[:200]
    return ""


def _counts(field: SpamField, hop_count: int, settings: SpamFilter) -> bool:
    """Whether the field is the filter's and not the sender's."""
    return settings.anywhere or field.hops < settings.hops <= hop_count


def _is_spam(field: SpamField, threshold: float | None) -> bool:
    says = field.value.lower()
    if field.name == "x-spamd-result":
        says = says.partition(":")[2].strip()
    if field.name not in ("x-spam-score", "x-spam-level") and says.startswith(("yes", "true")):
        return True
    score = score_of(field)
    return threshold is not None and score is not None and score >= threshold


def score_of(field: SpamField) -> float | None:
    """The score in the field; None where it has none."""
    match field.name:
        case "x-spam-level":
            return float(len(field.value) - len(field.value.lstrip("*")))
        case "x-spam-score":
            with suppress(ValueError):
                return float(field.value.replace("/", " ").split(" ")[0])
            return None
    found = (_RATIO if field.name == "x-spamd-result" else _SCORE).search(field.value)
    return float(found[1]) if found else None
