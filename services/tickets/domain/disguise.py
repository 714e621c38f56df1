"""Names that make a sender look like somebody else; a hint for agents, no verdict."""

import re
import unicodedata

_ADDRESS = re.compile(r"[^\s<>\"'(),;:@]+@[^\s<>\"'(),;:@]+")
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_WORD = re.compile(r"\w+")
_LOOKALIKES = frozenset({"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "CHEROKEE"})
"""Alphabets with letters that look the same (UTS 39, 5.1 asks not to mix them in a word)."""


def disguise_of(name: str, address: str) -> str:
    """Say in a few words what is misleading about a display name and its address; mostly empty."""
    for shown in _ADDRESS.findall(name):
        if shown.lower().strip(".") != address.lower():
            return f"the name shows another address ({shown[:80]})"
    if _TURNS.search(name):
        return "the name turns its letters round"
    if any(map(_is_mixed, _WORD.findall(f"{name} {_readable(address)}"))):
        return "the name mixes letters of several alphabets"
    return ""


def _is_mixed(word: str) -> bool:
    if word.isascii():
        return False
    scripts = {unicodedata.name(letter, "").partition(" ")[0] for letter in word}
    return len(scripts & _LOOKALIKES) > 1


def _readable(address: str) -> str:
    """The address with its domain as a mail program shows it (RFC 3490)."""
    local, _, domain = address.rpartition("@")
    try:
        shown = domain.encode("ascii").decode("idna")
    except UnicodeError:
        shown = domain
    return f"{local} {shown}"
