"""How much a record carries, for those who must keep to it without loading the contracts."""

INLINE_TEXT_CHARS = 12_000
"""Texts above this travel as a blob; the record carries their beginning."""
