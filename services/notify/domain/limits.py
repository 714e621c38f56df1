"""Caps on automatic mail: how often an address may be written to, whatever the headers said."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

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
    if ticket_id and mail_class != "acknowledgement":  # a sender gets one of those for a ticket
        found.append(Cap(f"auto {address} {ticket_id}", PER_TICKET_AND_HOUR, HOUR))
    if mail_class == "acknowledgement":
        found.append(Cap(f"ack {address}", acknowledgements, HOUR))
    return found


class Counters:
    """When mails were sent under each cap, as milliseconds since 1970, oldest first.

    `take` is the only change; ``changed`` is what to store. Numbers, because comparing a
    thousand datetimes for each mail costs more than the mail.
    """

    def __init__(self, times: dict[str, list[int]]) -> None:
        self._times = times
        self.changed: dict[str, list[int]] = {}

    def take(self, caps: list[Cap], now: datetime) -> Cap | None:
        """Count one mail under all of the caps, or none of them and say which one is full."""
        recent = {}
        at = milliseconds(now)
        for cap in caps:
            times = self._times.get(cap.name, [])
            recent[cap.name] = times[bisect_right(times, at - _milliseconds(cap.within)) :]
            if len(recent[cap.name]) >= cap.count:
                return cap
        for name, times in recent.items():
            self._times[name] = self.changed[name] = [*times, max([at, *times[-1:]])]
        return None

    def free_at(self, cap: Cap) -> datetime:
        """When a mail that the cap has refused would be let through; never for a cap of 0."""
        if not cap.count:
            return datetime.max.replace(tzinfo=UTC) - cap.within
        oldest = self._times[cap.name][-cap.count]
        return datetime.fromtimestamp(oldest / 1000, UTC) + cap.within


def milliseconds(at: datetime) -> int:
    """Since 1970."""
    return round(at.timestamp() * 1000)


def _milliseconds(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)
