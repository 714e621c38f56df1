"""The topics: what carries what, keyed how, owned and read by whom. Nothing here talks to Kafka."""

from dataclasses import dataclass

from shared.contracts import commands, delivery, directory, mail, requests, sla, ticket
from shared.contracts.base import Record


@dataclass(frozen=True)
class Topic:
    """One topic; ``records`` are all the types that may appear on it."""

    name: str
    key: str
    owner: str
    readers: tuple[str, ...]
    records: tuple[type[Record], ...]
    partitions: int = 12
    compacted: bool = False
    retention_days: int = 30
    dead_letters: bool = True

    @property
    def dead_letter_name(self) -> str:
        """Topic of the records that this one's readers gave up."""
        return f"{self.name}-dlq"


MAIL_RECEIVED = Topic(
    name="mail-received",
    key="ticket id if a valid address token names one, else the sender's address",
    owner="ingest",
    readers=("tickets",),
    records=mail.RECORDS,
)
TICKET_COMMANDS = Topic(
    name="ticket-commands",
    key="ticket id, or the requester's address for a new ticket",
    owner="systems",
    readers=("tickets",),
    records=commands.COMMANDS,
)
COMMAND_RESULTS = Topic(
    name="command-results",
    key="correlation id",
    owner="tickets",
    readers=("systems",),
    records=commands.RESULTS,
    dead_letters=False,
)
TICKET_EVENTS = Topic(
    name="ticket-events",
    key="ticket id",
    owner="tickets",
    readers=("sla", "notify", "reports", "systems"),
    records=ticket.RECORDS,
)
SLA_EVENTS = Topic(
    name="sla-events", key="ticket id", owner="sla", readers=("tickets",), records=sla.RECORDS
)
DELIVERY_EVENTS = Topic(
    name="delivery-events",
    key="ticket id, or the recipient where there is no ticket",
    owner="notify",
    readers=("tickets",),
    records=delivery.RECORDS,
)
MAIL_REQUESTS = Topic(
    name="mail-requests",
    key="recipient",
    owner="ingest, tickets, reports",
    readers=("notify",),
    records=requests.RECORDS,
)
DIRECTORY = Topic(
    name="directory",
    key="kind:id, such as account:A-7",
    owner="systems",
    readers=("tickets", "sla", "notify"),
    records=directory.RECORDS,
    partitions=3,
    compacted=True,
)

TOPICS = (
    MAIL_RECEIVED,
    TICKET_COMMANDS,
    COMMAND_RESULTS,
    TICKET_EVENTS,
    SLA_EVENTS,
    DELIVERY_EVENTS,
    MAIL_REQUESTS,
    DIRECTORY,
)

RECORDS: dict[str, type[Record]] = {
    record.model_fields["type"].default: record for topic in TOPICS for record in topic.records
}
"""Every record type by its name on the wire."""
