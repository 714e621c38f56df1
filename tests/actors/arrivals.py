"""What has arrived at a sink, found by who waits for it."""

import asyncio
from collections import defaultdict

from tests.actors.sink import Delivery, Sink


class NeverCameError(Exception):
    """The mail that somebody wanted to answer did not arrive."""


def ticket_of(mail: Delivery) -> str:
    """The ticket that a mail of the desk is about."""
    return mail.header("X-Postdesk-Event").rpartition(".")[0]


class Arrivals:
    """Keeps the first mail of each reason for each recipient, and for each ticket."""

    def __init__(self, sink: Sink) -> None:
        self._first: dict[tuple[str, str], Delivery] = {}
        self._waiting: dict[tuple[str, str], list[asyncio.Future[Delivery]]] = defaultdict(list)
        sink.on_arrival(self._note)

    async def to(self, recipient: str, reason: str) -> Delivery:
        """The first mail of this reason to a recipient; raises NeverCameError after `give_up`."""
        return await self._get((recipient, reason))

    async def about(self, ticket_id: str, reason: str) -> Delivery:
        """The first mail of this reason about a ticket; raises NeverCameError after `give_up`."""
        return await self._get((ticket_id, reason))

    async def give_up(self) -> None:
        """Nothing more will come: everybody who waits is told so."""
        for (whose, reason), waiting in self._waiting.items():
            for coming in waiting:
                if not coming.done():
                    coming.set_exception(NeverCameError(f"no {reason} for {whose}"))
        self._waiting.clear()

    async def _get(self, key: tuple[str, str]) -> Delivery:
        if key in self._first:
            return self._first[key]
        coming: asyncio.Future[Delivery] = asyncio.get_running_loop().create_future()
        self._waiting[key].append(coming)
        return await coming

    def _note(self, mail: Delivery) -> None:
        reason = mail.header("X-Postdesk-Reason")
        for whose in (mail.recipient, ticket_of(mail)):
            self._first.setdefault((whose, reason), mail)
            for coming in self._waiting.pop((whose, reason), []):
                if not coming.done():
                    coming.set_result(mail)
