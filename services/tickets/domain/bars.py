"""Whose mail the desk wants no more, or less of: addresses, and domains with all below them."""

from collections.abc import Collection

from shared.config.models import Desk
from shared.senders import Limit, names_of, said


def is_named(address: str, names: Collection[str]) -> bool:
    """Whether one of the names bars the address."""
    return any(name in names for name in names_of(address))


def why_not(wanted: Limit, desk: Desk) -> str:
    """Why agents may not limit that sender; empty where they may."""
    if is_named(wanted.who, desk.customers.blocked):
        return f"the configuration blocks {said(wanted.who)}"
    if wanted.who in desk.customers.limits_by_sender:
        return f"the configuration limits {said(wanted.who)}"
    return ""


def why_never(name: str, desk: Desk) -> str:
    """Why nobody may bar that address or domain; empty where it can be done."""
    own = {*desk.agents_by_address, *desk.mailboxes_by_address}
    if any(name in names_of(address) for address in own):
        return "those who work here and the desk's own mailboxes are never barred"
    if "@" not in name and "." not in name:
        return f"{name} is no mail domain"
    return ""
