"""Looks at a new connection before a session is made for it, which takes twenty times as long."""

import asyncio
from typing import TYPE_CHECKING, Any

from services.ingest import measures, peers, replies
from services.ingest.conversation import Conversation

if TYPE_CHECKING:
    from services.ingest.door import Door

STRANGERS_PER_S = 500.0
MOST_PATIENT_S = 5.0  # half of what impatient clients wait for a greeting


class Reception(asyncio.Protocol):
    """Sends away who comes again and again in vain; hands the others over to a session.

    Who has left a mail before goes in at once. Strangers go in one after the other: two hundred
    that come in the same moment would hold up every session by a fifth of a second.
    """

    def __init__(self, door: "Door", speaks: type[Conversation]) -> None:
        self._door = door
        self._speaks = speaks
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        """Decide by the address alone; ``transport`` is asyncio's, or one just like it."""
        self._transport = transport
        peer = transport.get_extra_info("peername")
        address = peers.written(peer[0]) if isinstance(peer, tuple) else peers.LOCAL
        if self._door.comes_in_vain(address):
            self._refuse()
        elif self._door.knows(address):
            self._let_in()
        else:
            self._let_in_after(self._door.strangers.wait_s(1))

    def _let_in_after(self, wait_s: float) -> None:
        if wait_s > MOST_PATIENT_S:
            self._refuse()
        elif wait_s > 0:
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(wait_s, self._let_in)
        else:
            self._let_in()

    def _let_in(self) -> None:
        if self._transport.is_closing():
            return
        session = self._speaks(self._door, loop=asyncio.get_running_loop())
        self._transport.set_protocol(session)
        session.connection_made(self._transport)
        self._transport.resume_reading()

    def _refuse(self) -> None:
        measures.refused(replies.TOO_MANY_CONNECTIONS)
        self._transport.write(replies.TOO_MANY_CONNECTIONS.encode() + b"\r\n")
        self._transport.close()
