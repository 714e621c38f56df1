"""A person with a mail program: writes by SMTP, reads what arrived in a Maildir.

The demo and the acceptance tests play customers and agents with it, over the same path as anybody.
"""

import mailbox
import re
import smtplib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import formataddr, formatdate, getaddresses, make_msgid
from functools import cached_property
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

_POLICY = policy.SMTP.clone(max_line_length=998)
_POLL_S = 0.05


@dataclass(frozen=True)
class File:
    """A file to attach; ``content_id`` makes it an inline image."""

    name: str
    content: bytes
    content_type: str = "application/octet-stream"


@dataclass(frozen=True)
class Letter:
    """A mail that has arrived, as its reader sees it."""

    path: Path

    @cached_property
    def message(self) -> EmailMessage:
        """The parsed mail."""
        parsed = message_from_bytes(self.path.read_bytes(), policy=policy.default)
        assert isinstance(parsed, EmailMessage)  # noqa: S101 - what policy.default makes
        return parsed

    @property
    def subject(self) -> str:
        """Decoded subject."""
        return str(self.message["Subject"] or "")

    @property
    def sender(self) -> str:
        """From as written."""
        return str(self.message["From"] or "")

    @property
    def message_id(self) -> str:
        """Message-ID with angle brackets."""
        return str(self.message["Message-ID"] or "").strip()

    @property
    def text(self) -> str:
        """The plain text part."""
        return self._content("plain")

    @property
    def html(self) -> str:
        """The HTML part."""
        return self._content("html")

    @property
    def reply_to(self) -> str:
        """Bare address that an answer goes to (RFC 5322, 3.6.2)."""
        headers = self.message.get_all("Reply-To") or self.message.get_all("From") or []
        return getaddresses([str(h) for h in headers])[0][1]

    @property
    def attachment_names(self) -> list[str]:
        """Names of the attached files."""
        return [part.get_filename() or "" for part in self.message.iter_attachments()]

    @property
    def links(self) -> list[str]:
        """All ``mailto:`` links of the HTML part, unescaped."""
        return [m.replace("&amp;", "&") for m in re.findall(r'href="(mailto:[^"]+)"', self.html)]

    def _content(self, subtype: str) -> str:
        part = self.message.get_body((subtype,))
        return str(part.get_content()) if part else ""


class NoLetterError(Exception):
    """What was waited for did not arrive in time; says what did."""


class Correspondent:
    """Somebody who writes to the desk and gets mail from it."""

    def __init__(self, address: str, name: str, *, smtp: str, mailboxes: Path) -> None:
        self.address = address
        self.name = name
        self._smtp = smtp
        self._maildir = mailboxes / address
        self._read: set[str] = set()

    def write(
        self,
        to: str | Sequence[str],
        subject: str,
        text: str,
        *,
        html: str = "",
        files: Sequence[File] = (),
        headers: dict[str, str] | None = None,
    ) -> str:
        """Send a new mail; its Message-ID. Raises smtplib's errors where it is refused."""
        recipients = [to] if isinstance(to, str) else list(to)
        mail = EmailMessage(policy=_POLICY)
        mail["From"] = formataddr((self.name, self.address))
        mail["To"] = ", ".join(recipients)
        mail["Subject"] = subject
        mail["Date"] = formatdate(localtime=True)
        mail["Message-ID"] = make_msgid(domain=self.address.partition("@")[2])
        for name, value in (headers or {}).items():
            del mail[name]
            mail[name] = value
        mail.set_content(text)
        if html:
            mail.add_alternative(html, subtype="html")
        for file in files:
            kind, _, subkind = file.content_type.partition("/")
            mail.add_attachment(file.content, maintype=kind, subtype=subkind, filename=file.name)
        self.send(mail.as_bytes(), recipients)
        return str(mail["Message-ID"])

    def answer(
        self,
        letter: Letter,
        text: str,
        *,
        to: str = "",
        html: str = "",
        files: Sequence[File] = (),
        quote: bool = True,
        headers: dict[str, str] | None = None,
    ) -> str:
        """Answer a letter, top-posted over its quoted text unless ``quote`` is false."""
        quoted = "".join(f"> {line}\n" for line in letter.text.splitlines())
        body = f"{text}\n\nOn {letter.message['Date']}, {letter.sender} wrote:\n{quoted}"
        subject = letter.subject
        return self.write(
            to or letter.reply_to,
            subject if subject.lower().startswith("re:") else f"Re: {subject}",
            body if quote else text,
            html=html,
            files=files,
            headers={
                "In-Reply-To": letter.message_id,
                "References": f"{letter.message['References'] or ''} {letter.message_id}".strip(),
                **(headers or {}),
            },
        )

    def click(self, link: str) -> str:
        """Send the mail that a ``mailto:`` link prepares (RFC 6068)."""
        parts = urlsplit(link)
        fields = {k.lower(): v[0] for k, v in parse_qs(parts.query).items()}
        return self.write(
            unquote(parts.path), fields.get("subject", ""), fields.get("body", "") + "\n"
        )

    def send(self, raw: bytes, recipients: Sequence[str]) -> None:
        """Send ready bytes in one SMTP transaction."""
        host, _, port = self._smtp.rpartition(":")
        with smtplib.SMTP(host, int(port), timeout=30) as client:
            client.sendmail(self.address, list(recipients), raw)

    def letters(self) -> list[Letter]:
        """All that has arrived, oldest first."""
        folder = self._maildir
        paths = [p for sub in ("new", "cur") for p in (folder / sub).glob("*")]
        return [Letter(p) for p in sorted(paths, key=lambda p: (p.stat().st_mtime_ns, p.name))]

    def skip_old(self) -> None:
        """Take all that has arrived so far as read."""
        self._read.update(map(_name, self.letters()))

    def wait_for(
        self, wanted: Callable[[Letter], bool] = lambda _: True, *, within_s: float = 60
    ) -> Letter:
        """The oldest letter not yet returned that is wanted; waits for it.

        Raises NoLetterError after ``within_s`` seconds.
        """
        end = time.monotonic() + within_s
        while True:
            unread = [x for x in self.letters() if _name(x) not in self._read]
            for letter in unread:
                if wanted(letter):
                    self._read.add(_name(letter))
                    return letter
            if time.monotonic() > end:
                seen = "; ".join(x.subject for x in unread) or "nothing"
                raise NoLetterError(f"{self.address} waited {within_s} s and got: {seen}")
            time.sleep(_POLL_S)


def _name(letter: Letter) -> str:
    return letter.path.name.partition(mailbox.Maildir.colon)[0]
