"""Whose mail the desk wants no more: addresses, and domains with all below them."""

from collections.abc import Collection

from shared.config.models import Desk


def names_of(address: str) -> set[str]:
    """Every name that a bar of this address may have: itself, its domain, the domains above."""
    labels = address.rpartition("@")[2].split(".")
    return {address, *(".".join(labels[i:]) for i in range(len(labels)))}


def is_named(address: str, names: Collection[str]) -> bool:
    """Whether one of the names bars the address."""
    return not names_of(address).isdisjoint(names)


def why_never(name: str, desk: Desk) -> str:
    """Why nobody may bar that address or domain; empty where it can be done."""
    own = {*desk.agents_by_address, *desk.mailboxes_by_address}
    if any(name in names_of(address) for address in own):
        return "those who work here and the desk's own mailboxes are never barred"
    if "@" not in name and "." not in name:
        return f"{name} is no mail domain"
    return ""


def said(name: str) -> str:
    """The name as people are told of it."""
    return name if "@" in name else f"everybody at {name}"
