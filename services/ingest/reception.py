"""Looks at a new connection before a session is made for it, which takes twenty times as long."""

import asyncio
from typing import TYPE_CHECKING, Any

from services.ingest import measures, peers, replies
from services.ingest.conversation import Conversation
from services.ingest.lane import KIB

if TYPE_CHECKING:
    from services.ingest.door import Door

STRANGERS_PER_S = 250.0
MOST_PATIENT_S = 5.0  # half of what impatient clients wait for a greeting
FIRST_OCTETS = 16 * KIB  # read of who says something before the greeting
MOST_OCTETS = 256 * KIB  # read at once


class Reception(asyncio.BufferedProtocol):
    """Sends away who comes again and again in vain, and leads the others to a session.

    Who has left a mail before goes in at once. Strangers go in one after the other: two hundred
    that come in the same moment would hold up every session by a fifth of a second. No more is read
    at once than is listened to: event loops left to themselves read a quarter of a megabyte, and
    each read has the kernel fetch as much again of a client that is to be refused.
    """

    _buffer = memoryview(bytearray(MOST_OCTETS))  # one for all: what is read is handed on at once

    def __init__(self, door: "Door", speaks: type[Conversation]) -> None:
        self._door = door
        self._speaks = speaks
        self._transport: Any = None
        self._address = peers.LOCAL
        self._session: Conversation | None = None
        self._early = b""
        self._is_silent = False

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

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Give room for as much as is listened to now."""
        return self._buffer[: self._session.piece_octets if self._session else FIRST_OCTETS]

    def buffer_updated(self, nbytes: int) -> None:
        """Hand on what was read; of who waits for the greeting nothing more is read then."""
        data = bytes(self._buffer[:nbytes])
        if self._session is not None:
            self._session.data_received(data)
            return
        self._early += data
        # Not before: uvloop begins to read after `connection_made`, whatever was said in there.
        self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Hand on that the client has said its last word; it may still listen."""
        self._is_silent = True
        return self._session.eof_received() if self._session else self not in self._door.held

    def connection_lost(self, error: Exception | None) -> None:
        """Hand on that the client is gone; forget who did not wait for the answer."""
        if waiting := self._door.held.pop(self, None):
            waiting.cancel()
        if self._session is not None:
            self._session.connection_lost(error)
        else:
            self._door.left_in_vain(self._address)

    def pause_writing(self) -> None:
        """Hand on that the client does not read."""
        if self._session is not None:
            self._session.pause_writing()

    def resume_writing(self) -> None:
        """Hand on that the client reads again."""
        if self._session is not None:
            self._session.resume_writing()

    def refuse(self) -> None:
        """Send the client away; it may come again later."""
        measures.refused(replies.TOO_MANY_CONNECTIONS)
        self._transport.write(replies.TOO_MANY_CONNECTIONS.encode() + b"\r\n")
        self._transport.close()

    def _let_in_after(self, wait_s: float) -> None:
        if wait_s > MOST_PATIENT_S:
            self.refuse()
        elif wait_s > 0:
            asyncio.get_running_loop().call_later(wait_s, self._let_in)
        else:
            self._let_in()

    def _let_in(self) -> None:
        if self._transport.is_closing():
            return
        pace = self._door.pace_for(self._address)
        self._session = self._speaks(self._door, pace, loop=asyncio.get_running_loop())
        self._session.connection_made(self._transport)
        self._transport.resume_reading()
        if self._early:
            self._session.data_received(self._early)
            self._early = b""
        if self._is_silent:
            self._session.eof_received()

    def _refuse_late(self) -> None:
        """Keep the client waiting first, unheard: told at once, it would come again at once."""
        held, timing = self._door.held, self._door.timing
        if len(held) >= self._door.limits.max_connections:
            self.refuse()
            return
        held[self] = asyncio.get_running_loop().call_later(timing.in_vain_s, self.refuse)
