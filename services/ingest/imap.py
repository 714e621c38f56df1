"""One IMAP connection, blocking: to be used from threads. What is done with mails is elsewhere."""

import contextlib
import imaplib
import re
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError

from shared.config.sources import IMAPSource

ANSWER_S = 60.0
LISTEN_S = 300.0  # then it is looked again, whatever the server said or did not say
LOOK_S = 1.0  # in which the wish to leave is noticed
POLL_S = 30.0  # where the server knows no IDLE
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
IMAP_ERRORS = (imaplib.IMAP4.error, ImapToolsError, OSError)
_NEWS = re.compile(rb"\b(?:EXISTS|RECENT|BYE)\b", re.IGNORECASE)


class FetchError(Exception):
    """The server gave something else than the mail that was asked for."""


@dataclass(frozen=True)
class Folder:
    """UIDs mean something only together with the folder's validity (RFC 9051, 2.3.1.1)."""

    validity: int
    next_uid: int


class IMAPBox:
    """A folder that is open for reading; only one thread at a time may use it."""

    def __init__(self, source: IMAPSource, secret: str) -> None:
        """Connect and log in; raises one of ``IMAP_ERRORS``."""
        self._source = source
        self._box = _connected(source)
        if source.token_command:
            self._box.xoauth2(source.user, secret, initial_folder=source.folder)
        else:
            self._box.login(source.user, secret, initial_folder=source.folder)
        status = self._box.folder.status(source.folder, ["UIDVALIDITY", "UIDNEXT"])
        self.folder = Folder(status["UIDVALIDITY"], status["UIDNEXT"])
        _, offered = self._box.client.capability()  # some offer more after the login
        self._can_idle = b"IDLE" in offered[0].upper().split()

    def uids(self, first: int, since: datetime | None) -> list[int]:
        """Give those from ``first`` on, in order; of mails that came on that day or later."""
        wanted = f"UID {first}:*"
        if since is not None:
            wanted += f" SINCE {since.day}-{MONTHS[since.month - 1]}-{since.year}"
        self._has_news()
        _, found = self._box.client.uid("SEARCH", wanted)
        uids = (int(uid) for uid in (found[0] or b"").split())
        # An empty range "9:*" means the last mail all the same (RFC 9051, 9).
        return sorted(uid for uid in uids if uid >= first)

    def fetch(self, uid: int) -> bytes | None:
        """Give the mail's bytes, without marking it as seen; None where it is gone."""
        status, found = self._box.client.uid("FETCH", str(uid), "(BODY.PEEK[])")
        if status != "OK":
            raise FetchError
        return next((bytes(part[1]) for part in found if isinstance(part, tuple)), None)

    def finish(self, uid: int) -> None:
        """Do what the source says with a mail that is stored."""
        if self._source.after == "move":
            self._box.move(str(uid), self._source.move_to)
        elif self._source.after == "seen":
            self._box.flag(str(uid), r"\Seen", value=True)

    def wait(self, leaving: threading.Event) -> None:
        """Return when there is news, when it is time to look, or soon after ``leaving`` is set."""
        if not self._can_idle:
            leaving.wait(POLL_S)
            self._box.client.noop()
            return
        if self._has_news():
            return
        self._box.idle.start()  # type: ignore[no-untyped-call]
        until = time.monotonic() + LISTEN_S
        while time.monotonic() < until and not leaving.is_set() and not self._has_news():
            if any(_NEWS.search(said) for said in self._box.idle.poll(timeout=LOOK_S)):
                break
        self._box.idle.stop()  # type: ignore[no-untyped-call]

    def _has_news(self) -> bool:
        """Say whether mails were announced beside the answer to something else; forget it."""
        return self._box.client.response("EXISTS")[1] != [None]

    def close(self) -> None:
        """Say goodbye."""
        with contextlib.suppress(*IMAP_ERRORS):
            self._box.logout()


def _connected(source: IMAPSource) -> BaseMailBox:
    if source.tls == "none":
        return MailBoxUnencrypted(source.host, source.port, timeout=ANSWER_S)
    kind: Callable[..., BaseMailBox] = MailBox if source.tls == "tls" else MailBoxStartTls
    context = ssl.create_default_context(cafile=source.certificates or None)
    return kind(source.host, source.port, timeout=ANSWER_S, ssl_context=context)
