"""A desk that believes nobody unchecked: people who sign their mail, and others who forge it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from deploy.local.correspondent import Correspondent, Letter
from shared import mongo
from tests.acceptance.company import Company, until
from tests.name_server import NameServer, a_key, signed

HOST = "guarded.example"
SUPPORT = f"support@{HOST}"
ADMIN = "ada@desk-team.example"
NILS = "nils@lindqvist.example"
SIGNING = (
    *("bakery.example", "lindqvist.example", "desk-team.example", "evil.example"),
    *("mirror.example", "desk.example", "shop.example"),
)
_numbers = count(1)


class Writer(Correspondent):
    """Somebody whose mail is signed by the domain ``signs_as``; by none where that is empty."""

    signs_as = ""

    def send(self, raw: bytes, recipients: Sequence[str]) -> None:
        if self.signs_as:
            raw = signed(raw, self.signs_as)
        super().send(raw, recipients)


@dataclass(frozen=True)
class Guarded(Company):
    """A company whose own look-ups go to the tests' name server."""

    def person(self, address: str, name: str = "") -> Writer:
        """Whose domain signs."""
        writer = self.forger(address, name)
        writer.signs_as = address.rpartition("@")[2]
        return writer

    def forger(self, address: str, name: str = "", *, signs_as: str = "") -> Writer:
        """Somebody who writes in the name of that address."""
        writer = Writer(
            address,
            name or address.partition("@")[0].title(),
            smtp=self.addresses["smtp"],
            mailboxes=self.state_dir / "mailboxes",
        )
        writer.signs_as = signs_as
        return writer

    def customer(self) -> Writer:
        """Somebody new, whose mail is signed."""
        return self.person(f"emma{next(_numbers)}@bakery.example", "Emma Brand")

    def open_ticket(
        self, customer: Correspondent, subject: str, to: str = SUPPORT
    ) -> tuple[str, Letter]:
        """As at every desk, at this one's address."""
        return super().open_ticket(customer, subject, to)

    def filed(self, message_id: str) -> dict[str, Any]:
        """The stored message of a mail, on whatever ticket, or parked; waits for it."""
        return until(lambda: asyncio.run(self._filed(message_id.strip("<>"))), within_s=40)

    async def _filed(self, message_id: str) -> dict[str, Any] | None:
        client = mongo.connect(self.addresses["mongo"], service="threats")
        try:
            messages = mongo.database(client, "tickets")["messages"]
            found: dict[str, Any] | None = await messages.find_one({"message_id": message_id})
            return found
        finally:
            client.close()

    def settled(self, message_id: str, recipient: str) -> None:
        """Wait until the mail is filed and all that it causes for the recipient has left."""
        row = self.filed(message_id)
        until(lambda: asyncio.run(self._settled(row["ticket_id"], recipient)), within_s=60)

    async def _settled(self, ticket_id: str, recipient: str) -> bool:
        client = mongo.connect(self.addresses["mongo"], service="threats")
        try:
            tickets, notify = (mongo.database(client, name) for name in ("tickets", "notify"))
            told = await tickets["tickets"].find_one({"_id": ticket_id})
            view = await notify["tickets"].find_one({"_id": ticket_id})
            on_its_way = {
                "recipient": recipient,
                "state": {"$in": ["queued", "sending", "deferred"]},
            }
            waiting = await notify["outgoing"].count_documents(on_its_way)
            return bool(told and view and view["seq"] >= told["state"]["seq"] and not waiting)
        finally:
            client.close()


def publish_everybody(names: NameServer) -> None:
    """Domains that sign, list no address, and want forgeries refused."""
    for domain in SIGNING:
        names.publish(domain, spf="v=spf1 -all", dmarc="v=DMARC1; p=reject", key=a_key()[1])
