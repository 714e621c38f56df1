"""What the reading of mails needs of the rest of the process."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from services.ingest.children import Answers
from services.ingest.reading import Reading
from services.ingest.store import InboundRows
from shared.addresses import AddressBook
from shared.bus import Outgoing
from shared.contracts.mail import MailReceived
from shared.mongo import Document


class Parsers(Protocol):
    """Where mails are read."""

    async def read(
        self, mails: Sequence[bytes], *, trusted: Sequence[str] = (), reason: str = ""
    ) -> Answers:
        """Read mails, or with a ``reason`` only their headers."""
        ...


class Senders(Protocol):
    """Where senders are checked."""

    def settle(self, row: Document, reading: Reading) -> bool:
        """Say whether the desk has to check the sender itself."""
        ...

    async def verdict(self, row: Document, reading: Reading, raw: bytes) -> dict[str, Any]:
        """The fields of the mail's authentication."""
        ...


class Believing(Protocol):
    """Where it is settled what else of a mail is believed."""

    def believe(self, row: Document, reading: Reading) -> str:
        """Complete the reading; gives why nobody may be told of the mail, or nothing."""
        ...


class Limiting(Protocol):
    """Where mails are counted of senders who may write only so much."""

    async def excess(self, row: Document, reading: Reading) -> str:
        """Why a mail is too much, or nothing; the same again says the same."""
        ...


class Obeying(Protocol):
    """Where orders to ingest itself are done."""

    async def obey(self, mails: Sequence[MailReceived]) -> None:
        """Do what these mails order; the same again does no more."""
        ...


class Publisher(Protocol):
    """The part of the bus that is needed."""

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        """Return when all are acknowledged."""
        ...


class BlobStore(Protocol):
    """The part of the blob store that is needed."""

    async def put_all(self, blobs: Sequence[tuple[str, bytes]]) -> list[str]:
        """Store blobs of several owners."""
        ...

    async def get(self, name: str) -> bytes:
        """Give the content."""
        ...


@dataclass(frozen=True)
class Tools:
    """What reading needs of the rest of the process."""

    rows: InboundRows
    parsers: Parsers
    blobs: BlobStore
    bus: Publisher
    book: AddressBook
    trusted: Callable[[], Sequence[str]]
    senders: Senders
    intake: Believing
    limits: Limiting
    orders: Obeying
