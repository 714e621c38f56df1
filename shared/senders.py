"""The names that a sender goes by, and how much one may write; pure.

What leads decide about senders by mail, and systems over the bus, is in the collection named here:
tickets writes it, ingest reads it.
"""

from dataclasses import dataclass

TOLD_DATABASE = "operators"
TOLD_SENDERS = "senders"
MOST_PER_HOUR = 500
MOST_PER_DAY = 5_000
"""A day's mails are remembered in one document, which stays small so."""


@dataclass(frozen=True, slots=True)
class Limit:
    """So many mails of ``who``, an address or a domain, reach the desk; 0: as many as come."""

    who: str
    per_hour: int = 0
    per_day: int = 0

    @property
    def said(self) -> str:
        """For people: ``5 an hour and 20 a day``."""
        paces = ((self.per_hour, "an hour"), (self.per_day, "a day"))
        return " and ".join(f"{most} {pace}" for most, pace in paces if most)


def names_of(address: str) -> list[str]:
    """The address itself, its domain and the domains above, the nearest first."""
    labels = address.rpartition("@")[2].split(".")
    return [address, *(".".join(labels[i:]) for i in range(len(labels)))]


def said(name: str) -> str:
    """The name as people are told of it."""
    return name if "@" in name else f"everybody at {name}"
