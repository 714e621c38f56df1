"""Addresses in copy: found in a mail's fields, and told to people."""

import re
from collections.abc import Iterable

_ADDRESS = re.compile(r"[^\s<>,;\"]+@[^\s<>,;\"]+")


def addresses_in(fields: Iterable[str]) -> list[str]:
    """The addresses of To or Cc in lower case, each once, in their order."""
    found = (address.lower() for field in fields for address in _ADDRESS.findall(field))
    return list(dict.fromkeys(found))


def change_said(added: Iterable[str], blind: Iterable[str], removed: Iterable[str]) -> str:
    """A change of who is in copy: ``+ana@x.example, +bob@x.example (blind), -eve@x.example``."""
    return ", ".join(
        [
            *(f"+{address}" for address in added),
            *(f"+{address} (blind)" for address in blind),
            *(f"-{address}" for address in removed),
        ]
    )
