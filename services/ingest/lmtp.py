"""LMTP (RFC 2033): as SMTP, but DATA is answered for each recipient by itself."""

from collections.abc import Sequence

from services.ingest import replies
from services.ingest.smtp import Session


class LMTPSession(Session):
    """A mail server in front that hands over to us as to its local delivery."""

    async def smtp_LHLO(self, hostname: str) -> None:  # noqa: N802 - aiosmtpd's name
        """Begin, as EHLO does in SMTP."""
        if hostname:
            await self._greet(hostname)
        else:
            await self.push("501 syntax: LHLO hostname")

    async def smtp_EHLO(self, _hostname: str) -> None:  # noqa: N802 - aiosmtpd's name
        """Refuse: SMTP must not be spoken here (RFC 2033, 4.1)."""
        await self.push(replies.LMTP_HERE)

    async def smtp_HELO(self, _hostname: str) -> None:  # noqa: N802 - aiosmtpd's name
        """Refuse, as EHLO."""
        await self.push(replies.LMTP_HERE)

    async def _answer_mail(self, answers: Sequence[str]) -> None:
        """Answer for each recipient that was taken, in their order (RFC 2033, 4.2)."""
        for answer in answers:
            await self.push(answer)
