"""Caps on automatic mail: how often an address may be written to, whatever the headers said."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.notify.domain.headers import PROFILES, MailClass
from shared.config.models import Desk


@dataclass(frozen=True)
class Cap:
    """At most ``count`` mails within ``within``, counted under ``name``."""

    name: str
    count: int
    within: timedelta


HOUR = timedelta(hours=1)
PER_TICKET_AND_HOUR = 10
CUSTOMER_PER_HOUR = 30
AGENT_PER_HOUR = 5_000
"""An agent of a busy desk is told of every ticket; this only ends what runs wild."""


def caps(mail_class: MailClass, address: str, ticket_id: str, desk: Desk) -> list[Cap]:
    """The caps that a mail of this class to this address falls under; none for a person's words."""
    if not PROFILES[mail_class].automatic:
        return []
    acknowledgements = desk.customers.acknowledgements_per_hour
    if address in desk.agents_by_address:
        most = AGENT_PER_HOUR
    else:
        most = max(CUSTOMER_PER_HOUR, acknowledgements)
    found = [Cap(f"auto {address}", most, HOUR)]
    if ticket_id:
        found.append(Cap(f"auto {address} {ticket_id}", PER_TICKET_AND_HOUR, HOUR))
    if mail_class == "acknowledgement":
        found.append(Cap(f"ack {address}", acknowledgements, HOUR))
    return found


class Counters:
    """When mails were sent under each cap; `take` is the only change, `changed` what to store."""

    def __init__(self, times: dict[str, list[datetime]]) -> None:
        self._times = times
        self.changed: dict[str, list[datetime]] = {}

    def take(self, caps: list[Cap], now: datetime) -> Cap | None:
        """Count one mail under all of the caps, or none of them and say which one is full."""
        recent = {}
        for cap in caps:
            recent[cap.name] = [t for t in self._times.get(cap.name, []) if t > now - cap.within]
            if len(recent[cap.name]) >= cap.count:
                return cap
        for name, times in recent.items():
            self._times[name] = self.changed[name] = [*times, now]
        return None

    def free_at(self, cap: Cap) -> datetime:
        """When a mail that the cap has refused would be let through."""
        return sorted(self._times[cap.name])[-cap.count] + cap.within
