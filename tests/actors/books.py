"""All that is known at the end of a ledger run; what the judge reads, and nothing else."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from shared.config.models import Desk
from shared.contracts.ticket import MailHeld, MessageAdded, TicketEvent
from shared.contracts.ticket_state import Message, TicketState
from tests.actors.mails import Mail
from tests.actors.sink import Delivery
from tests.actors.source import Attempt


@dataclass(frozen=True)
class Inbound:
    """A row of ingest's: which mail of ours it is, if any, and for which mailbox."""

    mail_id: str
    mailbox: str
    has_sent_bytes: bool = True


@dataclass(frozen=True)
class DeadLetter:
    """A record that a service gave up; ``poison`` names ours, empty for any other."""

    topic: str
    service: str
    poison: str
    reason: str = ""


@dataclass(frozen=True)
class Poison:
    """A record that nobody can read; ``is_sent``: Kafka has acknowledged it."""

    name: str
    topic: str
    readers: tuple[str, ...]
    is_sent: bool = True


@dataclass(frozen=True)
class Disturbance:
    """A fault and its aftermath, in seconds since 1970."""

    kind: str
    target: str
    begun: float
    over: float


@dataclass(frozen=True)
class ReportBooks:
    """What reports has: (seq, status, messages) by ticket, and work by (agent, kind)."""

    tickets: Mapping[str, tuple[int, str, int]] = field(default_factory=dict)
    work: Mapping[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True)
class Machine:
    """How the processes fared: most memory in MiB, ends seen and caused, exits that went wrong."""

    peak_mib: Mapping[str, float] = field(default_factory=dict)
    ends: Counter[str] = field(default_factory=Counter)
    caused: Counter[str] = field(default_factory=Counter)
    bad_exits: Sequence[str] = ()


@dataclass(frozen=True)
class Evidence:
    """``inbound`` by ingest's id; ``published``: ids on ``ticket-events`` as they lie there."""

    sent: Sequence[Mail]
    attempts: Sequence[Attempt]
    inbound: Mapping[str, Inbound]
    events: Sequence[TicketEvent]
    states: Mapping[str, TicketState]
    published: Sequence[str]
    taken: Sequence[Delivery]
    refused: Sequence[Delivery]
    desk: Desk
    reports: ReportBooks = field(default_factory=ReportBooks)
    dead_letters: Sequence[DeadLetter] = ()
    poison: Sequence[Poison] = ()
    disturbances: Sequence[Disturbance] = ()
    machine: Machine = field(default_factory=Machine)
    unanswered: Sequence[str] = ()
    """Mails of the desk that somebody waited for in vain."""
    now: float = 0.0

    @property
    def accepted(self) -> list[Mail]:
        """What got at least one 250."""
        taken = {one.id for one in self.attempts if one.outcome == "250"}
        return [mail for mail in self.sent if mail.id in taken]


def mailbox_of(recipient: str) -> str:
    """The mailbox that an address belongs to, with or without a token."""
    local, _, domain = recipient.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def arrived(events: Sequence[TicketEvent]) -> Iterator[tuple[TicketEvent, Message]]:
    """Events that hold a mail that came in, and the message."""
    for event in events:
        if isinstance(event, MessageAdded | MailHeld) and event.message.inbound_id:
            yield event, event.message


def in_order(events: Sequence[TicketEvent]) -> list[TicketEvent]:
    """By ticket and seq."""
    return sorted(events, key=lambda event: (event.ticket_id, event.seq))
