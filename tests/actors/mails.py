"""Mails as real clients write them, made from parts: same arguments, same bytes."""

import base64
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

LEDGER_FIELD = "X-Ledger"
BEGIN = datetime(2026, 11, 22, 9, tzinfo=UTC)

SUBJECTS = (
    "No internet since this morning",
    "Question about my October invoice",
    "Please move our line to the new office",
    "Router restarts every night",
    "Wrong amount charged twice",
    "Phone line crackles",
    "Second connection for the workshop",
    "How do I change the password?",
)
SENTENCES = (
    "our connection has been down since seven and the router shows a red light.",
    "I have switched everything off and on again, which helped for an hour.",
    "Could you please tell me what the second item on the bill is for?",
    "We moved to the first floor and the technician said you have to change the port.",
    "It only happens in the evening, mostly when it rains.",
    "My colleague wrote to you last week, but I could not find an answer.",
    "The contract number is on the attached picture.",
    "Please call before you come, the yard is locked until nine.",
)


@dataclass(frozen=True)
class Mail:
    """What a sender hands to its mail server; ``id`` is its name in the ledgers."""

    id: str
    kind: str
    sender: str
    recipients: tuple[str, ...]
    message_id: str
    raw: bytes = field(repr=False)
    envelope_from: str = ""
    ticket_id: str = ""
    """The ticket that it has to end up in, where the sender knows."""


@dataclass
class Writer:
    """Writes mails with content of some variety; ``chance`` decides, so the seed decides."""

    chance: random.Random
    run: str = "r1"
    _written: int = 0

    def plain(self, sender: str, to: Sequence[str], *, kind: str = "new", **headers: str) -> Mail:
        """A short mail of text."""
        return self._mail(kind, sender, to, "text/plain; charset=utf-8", self._text(), headers)

    def html(self, sender: str, to: Sequence[str], *, kind: str = "html", **headers: str) -> Mail:
        """Text and HTML, as web mailers send."""
        text = self._text()
        paragraphs = "".join(f"<div>{line or '<br>'}</div>" for line in text.splitlines())
        page = (
            f'<html><body style="font-family:Arial"><div dir="ltr">{paragraphs}</div></body></html>'
        )
        parts = [("text/plain; charset=utf-8", text), ("text/html; charset=utf-8", page)]
        return self._multipart(kind, sender, to, "alternative", parts, headers)

    def attached(
        self, sender: str, to: Sequence[str], *, size: int, kind: str = "attached", **headers: str
    ) -> Mail:
        """Text with a picture of ``size`` bytes."""
        picture = base64.encodebytes(self.chance.randbytes(size)).decode()
        image = (
            'image/jpeg; name="meter.jpg"\n'
            "Content-Transfer-Encoding: base64\n"
            'Content-Disposition: attachment; filename="meter.jpg"'
        )
        parts = [("text/plain; charset=utf-8", self._text()), (image, picture)]
        return self._multipart(kind, sender, to, "mixed", parts, headers)

    def reply(self, sender: str, to: str, subject: str, quoted: str, **headers: str) -> Mail:
        """An answer above the quoted mail."""
        quote = "".join(f"> {line}\n" for line in quoted.splitlines())
        text = f"{self._text()}\nOn Sun, 22 Nov 2026 at 10:00, Support wrote:\n{quote}"
        headers = {"Subject": f"Re: {subject}", **headers}
        return self._mail("reply", sender, [to], "text/plain; charset=utf-8", text, headers)

    def written(
        self, sender: str, to: Sequence[str], text: str, *, kind: str, **headers: str
    ) -> Mail:
        """A mail with exactly these words."""
        return self._mail(kind, sender, to, "text/plain; charset=utf-8", text, headers)

    def auto_reply(self, sender: str, to: Sequence[str]) -> Mail:
        """A vacation note (RFC 3834)."""
        headers = {"Auto-Submitted": "auto-replied", "Subject": "Out of office"}
        text = "I am away until Monday.\n"
        mail = self._mail("auto-reply", sender, to, "text/plain", text, headers)
        return replace(mail, envelope_from="")

    def list_mail(self, sender: str, to: Sequence[str]) -> Mail:
        """What a mailing list sends (RFC 2919)."""
        headers = {"List-Id": "<news.people.example>", "Precedence": "list"}
        return self.plain(sender, to, kind="list", **headers)

    def bounce(self, sender: str, to: Sequence[str]) -> Mail:
        """A delivery report about a mail that nobody here sent (RFC 3464), from nobody."""
        status = (
            "Reporting-MTA: dns; mx.people.example\n\n"
            f"Final-Recipient: rfc822; nobody{self._written}@people.example\n"
            "Action: failed\nStatus: 5.1.1\n"
        )
        parts = [
            ("text/plain; charset=utf-8", "Your mail could not be delivered.\n"),
            ("message/delivery-status", status),
        ]
        kind, headers = "bounce", {"Subject": "Undelivered mail", "Auto-Submitted": "auto-replied"}
        subtype = "report; report-type=delivery-status"
        mail = self._multipart(kind, sender, to, subtype, parts, headers)
        return replace(mail, envelope_from="")

    def bomb(self, sender: str, to: Sequence[str]) -> Mail:
        """A mail whose Content-Type keeps careless parsers busy for a minute."""
        field = "a/b" + ";" * 16_000
        return self._mail("unparseable", sender, to, field, self._text(), {})

    def unparseable(self, sender: str, to: Sequence[str]) -> Mail:
        """A mail that no parser gets through: multiparts nested hundreds deep."""
        layers = [
            f"--b{n}\nContent-Type: multipart/mixed; boundary=b{n + 1}\n\n" for n in range(600)
        ]
        return self._mail(
            "unparseable", sender, to, "multipart/mixed; boundary=b0", "".join(layers), {}
        )

    def _multipart(
        self,
        kind: str,
        sender: str,
        to: Sequence[str],
        subtype: str,
        parts: Sequence[tuple[str, str]],
        headers: dict[str, str],
    ) -> Mail:
        boundary = f"=_part_{self._written}_{self.run}"
        body = "".join(f"--{boundary}\nContent-Type: {t}\n\n{text}\n" for t, text in parts)
        content_type = f'multipart/{subtype}; boundary="{boundary}"'
        return self._mail(kind, sender, to, content_type, f"{body}--{boundary}--\n", headers)

    def _text(self) -> str:
        sentences = self.chance.choices(SENTENCES, k=self.chance.randint(2, 12))
        return "Good morning,\n\n" + "\n".join(sentences) + "\n\nKind regards\n"

    def _mail(
        self,
        kind: str,
        sender: str,
        to: Sequence[str],
        content_type: str,
        body: str,
        headers: dict[str, str],
    ) -> Mail:
        self._written += 1
        mail_id = f"{self.run}-{self._written:05d}"
        message_id = headers.pop("message_id", f"{mail_id}@{sender.partition('@')[2]}")
        name = sender.partition("@")[0].replace(".", " ").title()
        fields = {
            "From": f"{name} <{sender}>",
            "To": ", ".join(to),
            "Subject": self.chance.choice(SUBJECTS),
            "Date": format_datetime(BEGIN + timedelta(seconds=self._written)),
            "Message-ID": f"<{message_id}>",
            "MIME-Version": "1.0",
            "Content-Type": content_type,
            LEDGER_FIELD: mail_id,
            **headers,
        }
        head = "".join(f"{name}: {value}\n" for name, value in fields.items())
        raw = f"{head}\n{body}".replace("\r\n", "\n").replace("\n", "\r\n").encode()
        return Mail(mail_id, kind, sender, tuple(to), message_id, raw, sender)
