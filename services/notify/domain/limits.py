"""Caps on automatic mail: how often an address may be written to, whatever the headers said."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil

from services.notify.domain.headers import PROFILES, MailClass
from shared.config.models import Desk

Counts = list[list[int]]
"""Pairs of a minute since 1970 and the mails in it, oldest first."""


@dataclass(frozen=True)
class Cap:
    """At most ``count`` mails of a kind within ``within``, counted to the minute.

    ``key`` is what is written to. With ``ticket_id`` only mails about that ticket count, and the
    ledger itself says how many those were.
    """

    kind: str
    key: str
    count: int
    within: timedelta
    ticket_id: str = ""

    @property
    def name(self) -> str:
        """For people."""
        return " ".join(filter(None, [self.kind, self.key, self.ticket_id]))

    @property
    def place(self) -> str:
        """The document that has the counts."""
        return f"{self.ticket_id} {self.key}" if self.ticket_id else self.key


HOUR = timedelta(hours=1)
BURST, BURST_SHARE = timedelta(minutes=10), 0.8
"""Of an hour's acknowledgements so many may go within minutes: of 5 four, so that a loop with an
address that answers each by a new mail has nine mails and ends."""
DAY, DAY_HOURS = timedelta(days=1), 4
"""A slow loop ends too: a day has the acknowledgements of four hours."""
DOMAIN_ADDRESSES = 200
"""All addresses of a domain together get what so many of them may get: for a peer that answers
under another name each time, and well above what a provider with many customers of ours causes."""
PER_TICKET_AND_HOUR = 10
CUSTOMER_PER_HOUR = 30
RESULTS_PER_BURST = 20
"""Answers to commands that are of no ticket, such as lists."""
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
    found = [Cap("auto", address, most, HOUR)]
    if ticket_id and mail_class != "acknowledgement":  # a sender gets one of those for a ticket
        found.append(Cap("auto", address, PER_TICKET_AND_HOUR, HOUR, ticket_id))
    if mail_class == "acknowledgement":
        found += _of_acknowledgements(address, acknowledgements)
    elif mail_class == "result" and not ticket_id:
        found.append(Cap("result", address, RESULTS_PER_BURST, BURST))
    return found


def _of_acknowledgements(address: str, per_hour: int) -> list[Cap]:
    domain = address.rpartition("@")[2]
    return [
        Cap("ack", address, per_hour, HOUR),
        Cap("ack-burst", address, ceil(per_hour * BURST_SHARE), BURST),
        Cap("ack-day", address, per_hour * DAY_HOURS, DAY),
        Cap("ack", f"@{domain}", per_hour * DOMAIN_ADDRESSES, HOUR),
    ]


class Counters:
    """How many mails were sent under each cap, by place and kind.

    `take` is the only change; ``changed`` is what to store: of the ledger's own counts nothing.
    """

    def __init__(self, counts: Mapping[str, Mapping[str, Counts]]) -> None:
        self._counts = {place: dict(kinds) for place, kinds in counts.items()}
        self.changed: dict[str, dict[str, Counts]] = {}

    def take(self, caps: list[Cap], now: datetime) -> Cap | None:
        """Count one mail under all of the caps, or none of them and say which one is full."""
        at = minute_of(now)
        for cap in caps:
            if sum(count for _, count in self._recent(cap, at)) >= cap.count:
                return cap
        for cap in caps:
            counts = self._recent(cap, at)
            if counts and counts[-1][0] >= at:
                counts[-1] = [counts[-1][0], counts[-1][1] + 1]
            else:
                counts.append([at, 1])
            kinds = self._counts.setdefault(cap.place, {})
            kinds[cap.kind] = counts
            if not cap.ticket_id:
                self.changed[cap.place] = kinds
        return None

    def free_at(self, cap: Cap) -> datetime:
        """When a mail that the cap has refused would be let through; never for a cap of 0."""
        if not cap.count:
            return datetime.max.replace(tzinfo=UTC) - cap.within
        left = cap.count
        for begun, count in reversed(self._counts[cap.place][cap.kind]):
            left -= count
            if left <= 0:
                return datetime.fromtimestamp(begun * 60, UTC) + cap.within
        raise ValueError("the cap is not full")

    def _recent(self, cap: Cap, at: int) -> Counts:
        first = at - int(cap.within.total_seconds()) // 60
        counts = self._counts.get(cap.place, {}).get(cap.kind, [])
        return [pair for pair in counts if pair[0] > first]


def tally(moments: Iterable[datetime]) -> Counts:
    """Counts of mails sent at these times."""
    counts: dict[int, int] = {}
    for moment in moments:
        counts[minute_of(moment)] = counts.get(minute_of(moment), 0) + 1
    return [[at, counts[at]] for at in sorted(counts)]


def minute_of(at: datetime) -> int:
    """Since 1970."""
    return int(at.timestamp()) // 60
