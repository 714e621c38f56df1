"""Looks at a new connection before a session is made for it, which takes twenty times as long."""

import asyncio
from typing import TYPE_CHECKING, Any

from services.ingest import measures, peers, replies
from services.ingest.conversation import Conversation

if TYPE_CHECKING:
    from services.ingest.door import Door

STRANGERS_PER_S = 250.0
MOST_PATIENT_S = 5.0  # half of what impatient clients wait for a greeting


class Reception(asyncio.Protocol):
    """Sends away who comes again and again in vain, and hands the others over to a session.

    Who has left a mail before goes in at once. Strangers go in one after the other: two hundred
    that come in the same moment would hold up every session by a fifth of a second.
    """

    def __init__(self, door: "Door", speaks: type[Conversation]) -> None:
        self._door = door
        self._speaks = speaks
        self._transport: Any = None
        self._address = peers.LOCAL

    def connection_made(self, transport: Any) -> None:
        """Decide by the address alone; ``transport`` is asyncio's, or one just like it."""
        self._transport = transport
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self._address = peers.written(peer[0])
        if self._door.comes_in_vain(self._address):
            self._refuse_late()
        elif self._door.knows(self._address):
            self._let_in()
        else:
            self._let_in_after(self._door.newcomers.wait_s(1))

    def _let_in_after(self, wait_s: float) -> None:
        if wait_s > MOST_PATIENT_S:
            self.refuse()
        elif wait_s > 0:
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(wait_s, self._let_in)
        else:
            self._let_in()

    def _let_in(self) -> None:
        if self._transport.is_closing():
            return
        pace = self._door.pace_for(self._address)
        session = self._speaks(self._door, pace, loop=asyncio.get_running_loop())
        self._transport.set_protocol(session)
        session.connection_made(self._transport)
        self._transport.resume_reading()

    def _refuse_late(self) -> None:
        """Keep the client waiting first, unheard: told at once, it would come again at once."""
        held, timing = self._door.held, self._door.timing
        if len(held) >= self._door.limits.max_connections:
            self.refuse()
            return
        self._transport.pause_reading()
        held[self] = asyncio.get_running_loop().call_later(timing.in_vain_s, self.refuse)

    def connection_lost(self, _error: Exception | None) -> None:
        """Forget who did not wait for the answer."""
        if waiting := self._door.held.pop(self, None):
            waiting.cancel()

    def refuse(self) -> None:
        """Send the client away; it may come again later."""
        measures.refused(replies.TOO_MANY_CONNECTIONS)
        self._transport.write(replies.TOO_MANY_CONNECTIONS.encode() + b"\r\n")
        self._transport.close()
