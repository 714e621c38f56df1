"""Reads the list after `#cc` and `#bcc`: addresses to add, with a minus to take out."""

import re

from services.tickets.domain.followers import MAX_ADDRESS_CHARS, Copies
from services.tickets.mail_commands import grammar
from services.tickets.mail_commands.arguments import Parse, Problem, Reader, Value
from shared.config.values import mail_address

USAGE = "[+|-|=]address ..."
_LINKS = re.compile(r"\s*[<\[]mailto:[^>\]]*[>\]]")
"""What mail programs write behind an address when they make text of a link."""
_MINUS = re.compile("^[\u2010-\u2015\u2212]")
"""What they write instead of a minus."""


def copies(*, is_blind: bool) -> Parse:
    """The parser of one of the two words: a `Copies`."""

    def parse(arguments: str, _: Reader) -> Value | Problem:
        items = _items(arguments)
        if not items:
            return Problem("E02", f"needs addresses: {USAGE}")
        return _read(items, is_blind=is_blind)

    return parse


def _read(items: list[str], *, is_blind: bool) -> Value | Problem:
    signed: dict[str, list[str]] = {"+": [], "-": [], "=": []}
    for item in items:
        sign, name = (item[0], item[1:]) if item[0] in signed else ("+", item)
        if not name and sign == "=" and item is items[0]:
            signed["="].append("")  # alone it empties the list
            continue
        address = _address(name)
        if not address:
            return Problem("E03", f"{item} is no mail address; write {USAGE}"[:500])
        signed[sign].append(address)
    add = tuple(dict.fromkeys(filter(None, [*signed["="], *signed["+"]])))
    remove = tuple(dict.fromkeys(signed["-"]))
    wish = Copies(is_blind, add, remove, replaces=bool(signed["="]))
    return Value(wish, _said(wish))


def _items(arguments: str) -> list[str]:
    """Separated by spaces, commas or semicolons."""
    plain = _LINKS.sub("", arguments)
    parts = [part for value in grammar.values(plain) for part in re.split("[,;]", value)]
    return [_MINUS.sub("-", part.strip()) for part in parts if part.strip()]


def _address(name: str) -> str:
    """In lower case; empty where it is none."""
    bare = name.removeprefix("<").removesuffix(">")
    try:
        address = mail_address(bare)
    except ValueError:
        return ""
    return address if len(address) <= MAX_ADDRESS_CHARS else ""


def _said(wish: Copies) -> str:
    """As a receipt reads it back: ``only a@x.example; no longer b@x.example``."""
    kind = "in blind copy" if wish.is_blind else "in copy"
    now = ", ".join(wish.add) or ("nobody" if wish.replaces else "")
    told = [f"{'only ' if wish.replaces and wish.add else ''}{now} {kind}"] if now else []
    return "; ".join([*told, *(f"no longer {address}" for address in wish.remove)])
