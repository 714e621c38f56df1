"""Looks at a new connection before a session is made for it, which takes twenty times as long."""

import asyncio
from typing import TYPE_CHECKING, Any

from services.ingest import measures, peers, replies
from services.ingest.conversation import Conversation

if TYPE_CHECKING:
    from services.ingest.door import Door


class Reception(asyncio.Protocol):
    """Sends away who comes again and again in vain; hands the others over to a session."""

    def __init__(self, door: "Door", speaks: type[Conversation]) -> None:
        self._door = door
        self._speaks = speaks

    def connection_made(self, transport: Any) -> None:
        """Decide by the address alone; ``transport`` is asyncio's, or one just like it."""
        peer = transport.get_extra_info("peername")
        address = peers.written(peer[0]) if isinstance(peer, tuple) else peers.LOCAL
        if self._door.comes_in_vain(address):
            measures.refused(replies.TOO_MANY_CONNECTIONS)
            transport.write(replies.TOO_MANY_CONNECTIONS.encode() + b"\r\n")
            transport.close()
            return
        session = self._speaks(self._door, loop=asyncio.get_running_loop())
        transport.set_protocol(session)
        session.connection_made(transport)
