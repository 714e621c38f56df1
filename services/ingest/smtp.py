"""One SMTP session: aiosmtpd's commands with a DATA loop of its own, own replies and own limits.

aiosmtpd's DATA reads line by line without a memory bound and refuses long lines for good; this one
reads blocks. What is shared by all sessions is in `services.ingest.door`.
"""

import asyncio
import contextlib
import re
import ssl
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import SMTP

from services.ingest import measures, replies
from services.ingest.body import Body
from services.ingest.budget import Share
from services.ingest.dots import DotReader

if TYPE_CHECKING:
    from services.ingest.door import Door

BLOCK_BYTES = 64 * 1024  # larger ones cost more: the allocator maps each anew
BUFFER_BYTES = 128 * 1024
COMMAND_BYTES = 2048  # RFC 5321, 4.5.3.1.4 asks for 512, SMTPUTF8 and SIZE add to it
ADDRESS_CHARS = 320
COMMAND_LIMITS = {"*": 200, "MAIL": 10_000, "RCPT": 100_000, "DATA": 10_000, "RSET": 10_000}
_PATH = re.compile(r'\s*<(?:@[^:<>]*:)?((?:"(?:[^"\\]|\\.)*"|[^<>"\s])*)>(.*)|\s*([^<>"\s]+)(.*)')


def storable(text: str) -> str:
    """Replace octets that were no UTF-8, which aiosmtpd hands on as surrogates."""
    return text.encode("utf-8", "replace").decode()


class Session(SMTP):
    """A connection. Commands may be pipelined (RFC 2920): replies keep their order."""

    # aiosmtpd has these as optional; here they are set from the first command on.
    session: Any
    envelope: Any
    transport: Any
    _reader: Any
    _writer: Any

    # Also the size of the stream's buffer: twice this is the most a silent session holds.
    line_length_limit = BUFFER_BYTES
    command_size_limit = COMMAND_BYTES

    def __init__(self, door: "Door", *, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            door,
            data_size_limit=door.limits.max_bytes,
            enable_SMTPUTF8=True,
            hostname=door.hostname,
            ident=replies.GREETING,
            tls_context=door.tls,
            timeout=door.timing.idle_s,
            command_call_limit=COMMAND_LIMITS,
            loop=loop,
        )
        self._door = door
        # aiosmtpd shares one dictionary among all connections and raises its limits with each EHLO.
        self.command_size_limits = defaultdict(lambda: COMMAND_BYTES)
        self.is_receiving = False
        self.errors = 0
        self._octets = 0

    @property
    def address(self) -> str:
        """The client's IP address."""
        peer = self.session.peer if self.session else None
        return str(peer[0]) if isinstance(peer, tuple) else "local"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection; a session begins even where the answer will be 421."""
        super().connection_made(transport)
        self._door.entered(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Uncount it; a mail that is being stored is stored to the end."""
        self._door.left(self)
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        """Count octets, for the rule about progress."""
        self._octets += len(data)
        super().data_received(data)

    async def push(self, status: str | bytes) -> None:
        """Send a reply, with an enhanced code where it lacks one."""
        reply = replies.enhanced(status if isinstance(status, str) else status.decode())
        if reply[0] in "45":
            measures.refused(reply)
        if self.transport is None:
            return
        with contextlib.suppress(ConnectionError):
            await super().push(reply)

    def hang_up(self, reply: str) -> None:
        """Send a last reply and close."""
        if self.transport is not None and not self.transport.is_closing():
            measures.refused(reply)
            self._writer.write(reply.encode() + b"\r\n")
            self.transport.close()

    async def _handle_client(self) -> None:
        if refusal := self._door.refusal_of(self):
            self.hang_up(refusal)
            return
        with contextlib.suppress(ConnectionError):
            await super()._handle_client()

    def _timeout_cb(self) -> None:
        self.hang_up(replies.IDLE)

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        # The email package's parser, used by aiosmtpd here, takes seconds for some inputs.
        match = _PATH.fullmatch(arg or "")
        if not match or len(arg) > COMMAND_BYTES:
            return None, None
        address, rest = match[1] if match[3] is None else match[3], match[2] or match[4] or ""
        if len(address) > ADDRESS_CHARS:
            return None, None
        return storable(address) or "<>", rest

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802 - aiosmtpd's name
        """Name what is offered (RFC 5321, 4.1.1.1), in one write."""
        if not hostname:
            await self.push("501 syntax: EHLO hostname")
            return
        self._forget_mail()
        self.session.extended_smtp = True
        self.session.host_name = hostname
        offered = [self.hostname, "PIPELINING", f"SIZE {self.data_size_limit}", "8BITMIME"]
        offered += ["SMTPUTF8", "ENHANCEDSTATUSCODES"]
        if self.tls_context and not self.session.ssl:
            offered.append("STARTTLS")
        lines = [f"250-{word}" for word in offered[:-1]] + [f"250 {offered[-1]}"]
        self._writer.write("\r\n".join(lines).encode() + b"\r\n")
        await self._writer.drain()

    async def smtp_AUTH(self, _arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        """Customers have no accounts here."""
        await self.push(replies.NOT_OFFERED)

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        """Change to TLS and forget what was said before (RFC 3207, 4.2)."""
        if arg or not self.tls_context:
            await self.push("501 syntax: STARTTLS" if arg else replies.NOT_OFFERED)
            return
        if self.session.ssl:
            await self.push(replies.TLS_ACTIVE)
            return
        await self.push(replies.TLS_READY)
        # What came in clear behind the command may be an attacker's: it is not read on.
        self._reader._buffer.clear()  # noqa: SLF001
        try:
            transport = await self.loop.start_tls(
                self.transport, self, self.tls_context, server_side=True
            )
        except (OSError, ssl.SSLError, asyncio.CancelledError):
            self._writer.close()
            raise ConnectionResetError from None
        self._go_on_with(transport)

    def _go_on_with(self, transport: Any) -> None:
        peer = self.session.peer
        self.transport = transport
        self._reader._transport = transport  # noqa: SLF001 - asyncio offers no way to exchange it
        self._writer._transport = transport  # noqa: SLF001
        self._over_ssl = True
        self._forget_mail()
        self.session = self._create_session()
        self.session.peer = peer
        self.session.ssl = transport.get_extra_info("ssl_object")

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        """Take a mail: the reply is 250 only when it is stored."""
        if await self.check_helo_needed():
            return
        if arg or not self.envelope.rcpt_tos:
            await self.push("501 syntax: DATA" if arg else "503 need RCPT command")
            return
        self.is_receiving = True
        try:
            await self.push(replies.START_DATA)
            reply = await self._take_mail()
        finally:
            self.is_receiving = False
            self._forget_mail()
        await self.push(reply)
        if self._door.is_closing:
            self.hang_up(replies.SHUTTING_DOWN)

    async def _take_mail(self) -> str:
        share = Share(self._door.budget)
        body = Body(self._door.folder, is_roomy=self._door.budget.is_roomy)
        try:
            with self._door.receiving(), self._paced():
                refusal = await self._read_mail(body, share)
        except BaseException:
            share.give_back()
            body.close()
            raise
        # A refused mail has given back its share and closed its body already.
        return refusal or await self._door.take(self, body, share)

    async def _read_mail(self, body: Body, share: Share) -> str | None:
        """Read to the end of DATA; the reply where the mail is not kept, else None."""
        dots, refusal, seen = DotReader(), None, 0
        while True:
            block = await self._reader.read(BLOCK_BYTES)
            if not block:
                raise ConnectionResetError
            plain, rest = dots.feed(block)
            seen += len(plain)
            if refusal is None:
                refusal = self._keep(plain, body, share)
            if rest is not None:
                self._reader._buffer[:0] = rest  # noqa: SLF001 - pipelined commands
                return refusal
            if seen > 2 * self._door.limits.max_bytes:
                self.hang_up(replies.TOO_LARGE.replace("552", "421", 1))
                raise ConnectionResetError

    def _keep(self, plain: bytes, body: Body, share: Share) -> str | None:
        refusal = None
        if body.size + len(plain) > self._door.limits.max_bytes:
            refusal = replies.TOO_LARGE
        elif not share.take(len(plain)):
            refusal = replies.NO_ROOM
        else:
            try:
                body.write(plain)
            except OSError:
                refusal = replies.NO_ROOM
        if refusal:
            share.give_back()
            body.close()
        return refusal

    def _forget_mail(self) -> None:
        self.envelope = self._create_envelope()

    @contextlib.contextmanager
    def _paced(self) -> Iterator[None]:
        """Hang up on who sends for too long, or too slowly."""
        self._reset_timeout(self._door.timing.data_s)
        pacing = self.loop.create_task(self._watch_pace())
        try:
            yield
        finally:
            pacing.cancel()
            self._reset_timeout()

    async def _watch_pace(self) -> None:
        timing = self._door.timing
        least = timing.pace_s * timing.least_octets_per_s
        while True:
            before = self._octets
            await asyncio.sleep(timing.pace_s)
            if self._octets - before < least:
                self.hang_up(replies.TOO_SLOW)
                return
