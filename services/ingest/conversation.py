"""One connection: its lines, replies, time limits and errors. Its commands are in `smtp`.

aiosmtpd's own loop takes a lone LF for the end of a command, drops what is still to be read when a
client has said its last word, and waits for ever for one that reads no replies.
"""

import asyncio
import contextlib
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar

from aiosmtpd.proxy_protocol import V2_CMD, get_proxy
from aiosmtpd.smtp import SMTP

from services.ingest import measures, peers, replies
from services.ingest.lane import Pace

if TYPE_CHECKING:
    from services.ingest.door import Door

COMMAND_BYTES = 2048  # RFC 5321, 4.5.3.1.4 asks for 512, SMTPUTF8 and SIZE add to it
COMMANDS_PER_SESSION = 100  # as in Postfix, of those that bring no mail
OFTEN = {"MAIL": 10_000, "RCPT": 100_000, "DATA": 10_000, "RSET": 10_000}
ERRORS_PER_SESSION = 20  # as in Postfix
FREE_COMMANDS = 16  # since the last mail; then at the pace of all who say much
GROUPED = {"MAIL", "RCPT", "RSET"}  # with more behind them; those end a group: RFC 2920, 3.1
HELD_OCTETS = 4096
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


class Conversation(SMTP):
    """A connection. Commands may be pipelined (RFC 2920): replies keep their order.

    Those to the commands of a group go out together (3.2), for each piece that is sent costs.
    """

    # aiosmtpd has these as optional; here they are set from the first command on.
    session: Any
    envelope: Any
    transport: Any
    _reader: Any
    _writer: Any
    _over_ssl: bool
    _handler_coroutine: Any
    _closed: Any
    _timeout_handle: asyncio.TimerHandle | None

    _command_names: ClassVar[list[str]]

    is_receiving = False
    has_delivered = False

    def __init__(self, door: "Door", pace: Pace, *, loop: asyncio.AbstractEventLoop) -> None:
        self.line_length_limit = pace.buffer_octets  # aiosmtpd makes its stream with it
        super().__init__(
            door,
            data_size_limit=door.limits.max_bytes,
            enable_SMTPUTF8=True,
            hostname=door.hostname,
            ident=replies.GREETING,
            tls_context=door.tls,
            timeout=door.timing.idle_s,
            loop=loop,
        )
        self._door = door
        self.address = peers.LOCAL
        self.waiting_since: float | None = None
        self._errors = 0
        self._commands: Counter[str] = Counter()
        self._obeyed = 0  # since the last mail
        self._is_relay = False
        self._pace = pace
        self._octets = 0
        self._held = b""
        self._is_holding = False
        self._silent_until = 0.0

    def __init_subclass__(cls) -> None:
        """Note the names of the commands."""
        cls._command_names = [name for name in dir(cls) if name.startswith(("smtp_", "auth_"))]

    def __dir__(self) -> list[str]:
        """Name the commands only: aiosmtpd looks through all names, twice for each session."""
        return self._command_names

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection; a session begins even where the answer will be 421."""
        super().connection_made(transport)
        peer = self.session.peer
        self.address = peers.written(peer[0]) if isinstance(peer, tuple) else peers.LOCAL
        self._door.entered(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Uncount it; a mail that is being stored is stored to the end."""
        self._door.left(self)
        super().connection_lost(error)
        self._handler_coroutine.add_done_callback(self._let_go)

    def _let_go(self, _task: asyncio.Task[None]) -> None:
        """Refer to nothing any more, for sessions are full of circles.

        While the collector looks for a thousand of them nobody is served.
        """
        if self._closed.done() and not self._closed.cancelled():
            self._closed.exception()  # seen: it was how the client went
        if self._timeout_handle:
            self._timeout_handle.cancel()  # set anew by a mail that broke off
        vars(self).clear()

    def eof_received(self) -> bool:
        """Go on with what the client said before it fell silent: it may still listen."""
        self._reader.feed_eof()
        return not self._over_ssl  # TLS knows no half-closed connections

    def data_received(self, data: bytes) -> None:
        """Count octets, for the rule about progress."""
        self._octets += len(data)
        super().data_received(data)

    async def push(self, status: str | bytes) -> None:
        """Send a reply, with an enhanced code where it lacks one; too many refusals are the end."""
        reply = replies.enhanced(status if isinstance(status, str) else status.decode())
        if reply[0] in "45":
            measures.refused(reply)
        self._errors += reply[0] == "5"
        if self._errors > ERRORS_PER_SESSION and not self._door.is_relay(self.address):
            self.hang_up(replies.TOO_MANY_ERRORS)
        elif not self.is_over:
            with contextlib.suppress(ConnectionError):
                await self._say(reply)

    async def _say(self, reply: str) -> None:
        """Send a reply as it is, with those that were held back; a slow client is waited for."""
        self._held += reply.encode() + b"\r\n"
        if self._is_holding and len(self._held) < HELD_OCTETS:
            return
        held, self._held = self._held, b""
        self._writer.write(held)
        await self._writer.drain()

    @property
    def piece_octets(self) -> int:
        """How much to read at once: so much that nothing more is read until it is listened to."""
        return 2 * self._pace.buffer_octets + 1

    @property
    def is_over(self) -> bool:
        """Whether nothing more can be said."""
        return self.transport is None or self.transport.is_closing()

    def hang_up(self, reply: str) -> None:
        """Send a last reply and close, soon also where the client does not read."""
        if self.is_over:
            return
        measures.refused(reply)
        self._writer.write(self._held + reply.encode() + b"\r\n")
        self.transport.close()
        self.loop.call_later(self._door.timing.farewell_s, self.transport.abort)

    async def _handle_client(self) -> None:
        try:
            if not await self._is_admitted():
                return
            await self.push(f"220 {self.hostname} {self.__ident__}")
            while not self.is_over:
                if line := await self._next_line():
                    await self._obey(line)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client is gone, or has said its last word
        finally:
            self._writer.close()

    async def _is_admitted(self) -> bool:
        if self._door.is_proxy(self.address) and not await self._learn_address():
            return False
        if refusal := self._door.refusal_of(self):
            self.hang_up(refusal)
        self._is_relay = self._door.is_relay(self.address)
        self._pace = self._door.pace_for(self.address)
        return not refusal

    async def _learn_address(self) -> bool:
        """Read whom the proxy speaks for; without that word there is no conversation."""
        try:
            async with asyncio.timeout(self._door.timing.proxy_s):
                told = await get_proxy(self._reader)
        except TimeoutError:
            return False
        # A LOCAL connection is the proxy's own, to see whether we live.
        if told.src_addr is not None and told.command != V2_CMD.LOCAL:
            self._door.left(self)
            self.address = peers.written(told.src_addr)
            self._door.entered(self)
        return bool(told)

    async def _next_line(self) -> bytes:
        """Give the next command; b"" where there was only something to object to."""
        self._reset_timeout()
        self.waiting_since = self.loop.time()
        try:
            line: bytes = await self._reader.readuntil(b"\n")
        except asyncio.LimitOverrunError:
            self.hang_up(replies.LINE_WITHOUT_END)
            return b""
        finally:
            self.waiting_since = None
        if len(line) > COMMAND_BYTES:  # looked at first: to look at all of it takes a millisecond
            await self.push(replies.LONG_LINE)
            return b""
        # Only CRLF ends a line (RFC 5321, 2.3.8): who disagrees about that can be lied to.
        if not line.endswith(b"\r\n") or _CONTROL.search(line, 0, len(line) - 2):
            await self.push(replies.ODD_LINE)
            return b""
        return line[:-2] or b" "

    async def _obey(self, line: bytes) -> None:
        word, _, rest = line.partition(b" ")
        name = word.upper().decode("ascii", "replace")
        method = self._smtp_methods.get(name)
        self._commands[name if method else ""] += 1
        self._obeyed += 1
        if self._obeyed > FREE_COMMANDS and not self._is_relay:
            await self._pace.commands.carry(1)
        if self._commands[name] > OFTEN.get(name, COMMANDS_PER_SESSION):
            self.hang_up(replies.TOO_MANY_COMMANDS)
        elif method is None:
            await self.push(replies.UNKNOWN_COMMAND)
        else:
            argument = rest.strip().decode("utf-8", "surrogateescape") or None
            is_more_said = b"\n" in self._reader._buffer  # noqa: SLF001 - streams offer no look ahead
            self._is_holding = name in GROUPED and is_more_said
            try:
                await method(argument)
            except (ConnectionError, asyncio.IncompleteReadError):
                raise
            except Exception as error:  # noqa: BLE001 - a fault of ours is a passing one
                await self.push(await self._door.handle_exception(error))
            finally:
                self._is_holding = False

    def _reset_timeout(self, duration: float | None = None) -> None:
        """Give the client so many seconds more; a timer that is set already looks again then."""
        self._silent_until = self.loop.time() + (duration or self._door.timing.idle_s)
        timer = self._timeout_handle
        if timer is None or timer.when() > self._silent_until:
            if timer:
                timer.cancel()
            self._timeout_handle = self.loop.call_at(self._silent_until, self._timeout_cb)

    def _timeout_cb(self) -> None:
        if self.loop.time() < self._silent_until:
            self._timeout_handle = self.loop.call_at(self._silent_until, self._timeout_cb)
        else:
            self.hang_up(replies.IDLE)
