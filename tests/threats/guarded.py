"""A desk that believes nobody unchecked: people who sign their mail, and others who forge it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deploy.local.correspondent import Correspondent, Letter
from shared import mongo
from tests.acceptance.company import Company, until
from tests.name_server import NameServer, a_key, signed

SUPPORT = "support@desk.example"
EMMA, NILS = "emma@bakery.example", "nils@lindqvist.example"
SIGNING = ("bakery.example", "lindqvist.example", "desk-team.example", "evil.example")


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

    def sent(self, word: str) -> list[Letter]:
        """All mails to anybody that have the word in them."""
        folders = (self.state_dir / "mailboxes").iterdir()
        people = [self.person(folder.name) for folder in folders]
        return [
            x for p in people for x in p.letters() if word in x.path.read_text(errors="replace")
        ]


def publish_everybody(names: NameServer) -> None:
    """Domains that sign, list no address, and want forgeries refused."""
    for domain in SIGNING:
        names.publish(domain, spf="v=spf1 -all", dmarc="v=DMARC1; p=reject", key=a_key()[1])
