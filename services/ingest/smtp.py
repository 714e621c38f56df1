"""The commands of a session (RFC 5321), with a DATA loop of its own.

aiosmtpd's DATA reads line by line without a memory bound and refuses long lines for good; this one
reads blocks. What is shared by all sessions is in `services.ingest.door`.
"""

import asyncio
import contextlib
import math
import re
import ssl
from collections.abc import Iterator, Sequence
from typing import Any

from services.ingest import replies
from services.ingest.body import Body
from services.ingest.budget import Share
from services.ingest.conversation import COMMAND_BYTES, Conversation
from services.ingest.dots import DotReader

BLOCK_BYTES = 64 * 1024  # larger ones cost more: the allocator maps each anew
SMALL_BYTES = 128 * 1024  # of a mail; what is longer is read block by block, in turns
ADDRESS_CHARS = 320
_PATH = re.compile(r'\s*<(?:@[^:<>]*:)?((?:"(?:[^"\\]|\\.)*"|[^<>"\s])*)>(.*)|\s*([^<>"\s]+)(.*)')


def storable(text: str) -> str:
    """Replace octets that were no UTF-8, which aiosmtpd hands on as surrogates."""
    return text.encode("utf-8", "replace").decode()


class Session(Conversation):
    """A client that speaks SMTP."""

    _pacing: asyncio.TimerHandle

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        # The email package's parser, used by aiosmtpd here, takes seconds for some inputs.
        match = _PATH.fullmatch(arg or "")
        if not match or len(arg) > COMMAND_BYTES:
            return None, None
        address, rest = match[1] if match[3] is None else match[3], match[2] or match[4] or ""
        if len(address) > ADDRESS_CHARS:
            return None, None
        return storable(address) or "<>", rest

    def _getparams(self, params: Sequence[str]) -> dict[str, str | bool] | None:
        # aiosmtpd takes every Unicode digit for one that int() understands.
        return super()._getparams(params) if all(p.isascii() for p in params) else None

    async def smtp_HELO(self, hostname: str) -> None:  # noqa: N802 - aiosmtpd's name
        """Begin without extensions; as to EHLO, no enhanced code (RFC 2034, 4)."""
        if not hostname:
            await self.push("501 syntax: HELO hostname")
            return
        self._forget_mail()
        self.session.extended_smtp = False
        self.session.host_name = hostname
        await self._say(f"250 {self.hostname}")

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802 - aiosmtpd's name
        """Name what is offered (RFC 5321, 4.1.1.1)."""
        if hostname:
            await self._greet(hostname)
        else:
            await self.push("501 syntax: EHLO hostname")

    async def smtp_HELP(self, _arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        """Say where to read on."""
        await self.push(replies.HELP)

    async def smtp_VRFY(self, _arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        """Confirm nobody's name (RFC 5321, 7.3)."""
        await self.push(replies.NOT_VERIFIED)

    async def _greet(self, hostname: str) -> None:
        self._forget_mail()
        self.session.extended_smtp = True
        self.session.host_name = hostname
        offered = [self.hostname, "PIPELINING", f"SIZE {self.data_size_limit}", "8BITMIME"]
        offered += ["SMTPUTF8", "ENHANCEDSTATUSCODES"]
        if self.tls_context and not self.session.ssl:
            offered.append("STARTTLS")
        lines = [f"250-{word}" for word in offered[:-1]] + [f"250 {offered[-1]}"]
        await self._say("\r\n".join(lines))

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
            answers = await self._take_mail(len(self.envelope.rcpt_tos))
        finally:
            self.is_receiving = False
            self._forget_mail()
        if answers[0].startswith("250"):
            self.has_delivered, self._obeyed = True, 0
            self._pace = self._door.welcome(self.address)
        await self._answer_mail(answers)
        if self._door.is_closing:
            self.hang_up(replies.SHUTTING_DOWN)

    async def _answer_mail(self, answers: Sequence[str]) -> None:
        """Answer once for all recipients: they are stored together or not at all."""
        await self.push(answers[0])

    async def _take_mail(self, recipients: int) -> Sequence[str]:
        """Give the answer for each recipient."""
        share = Share(self._door.budget)
        body = Body(self._door.folder, is_roomy=lambda: self._door.budget.is_roomy)
        try:
            with self._door.receiving(), self._paced():
                refusal = await self._read_mail(body, share)
        except BaseException:
            share.give_back()
            body.close()
            raise
        # A refused mail has given back its share and closed its body already.
        return [refusal] * recipients if refusal else await self._door.take(self, body, share)

    async def _read_mail(self, body: Body, share: Share) -> str | None:
        """Read to the end of DATA; the reply where the mail is not kept, else None."""
        dots, refusal, seen = DotReader(), None, 0
        while True:
            block = await self._reader.read(BLOCK_BYTES)
            if not block:
                raise ConnectionResetError
            plain, rest = dots.feed(block)
            seen += len(plain)
            if seen > self._pace.free_octets:
                await self._pace.octets.carry(len(block))
            elif seen > SMALL_BYTES:
                await self._door.turns.take()
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
        self._watch_pace(-math.inf)
        try:
            yield
        finally:
            self._pacing.cancel()
            self._reset_timeout()

    def _watch_pace(self, before: float) -> None:
        """Look from time to time how many octets came since ``before``."""
        timing = self._door.timing
        if self._octets - before < timing.pace_s * timing.least_octets_per_s:
            self.hang_up(replies.TOO_SLOW)
            return
        self._pacing = self.loop.call_later(timing.pace_s, self._watch_pace, self._octets)
