"""The second door: mail fetched by IMAP, into the same spool under the same key as mail by SMTP.

A mail is marked or moved only when it is stored. Where the process dies in between, it is fetched
again and known by its key.
"""

import asyncio
import re
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

import structlog

from services.ingest.body import Body
from services.ingest.door import Delivery
from services.ingest.imap import IMAPBox
from services.ingest.recipients import Recipient
from shared.clock import Clock
from shared.config.sources import IMAPSource
from shared.health import Check, Health
from shared.mongo import Collection

PLACES = "imap_places"
TOKEN_S = 30.0
HEAD_BYTES = 64 * 1024
FROM_NOBODY = ""
T = TypeVar("T")
_RETURN_PATH = re.compile(rb"^Return-Path:[ \t]*<([^<>\s]*)>", re.IGNORECASE | re.MULTILINE)
_FROM = re.compile(rb"^From:[^\r\n]*?([^\s<>\",;:]+@[^\s<>\",;:]+)", re.IGNORECASE | re.MULTILINE)
_TO = re.compile(
    rb"^(?:Delivered-To|X-Original-To|Envelope-To|To|Cc):((?:[^\r\n]|\r?\n[ \t])*)",
    re.IGNORECASE | re.MULTILINE,
)

_log = structlog.get_logger(__name__)


class NotTakenError(Exception):
    """The mail cannot be stored now; it stays where it is."""


class NoTokenError(Exception):
    """The token command failed, or took too long."""


@dataclass(frozen=True)
class Place:
    """How far a source was read: ``began_at`` is the first look, mail from before is not ours."""

    validity: int
    next_uid: int
    began_at: datetime


class Places(Protocol):
    """Keeps the places; may lose the last ones, since mails are known by their key."""

    async def load(self, source: str) -> Place | None:
        """Give the place, or None before the first look."""
        ...

    async def save(self, source: str, place: Place) -> None:
        """Keep the place."""
        ...


class StoredPlaces:
    """Places in MongoDB."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    async def load(self, source: str) -> Place | None:
        """Give the place, or None before the first look."""
        row = await self._collection.find_one({"_id": source})
        return Place(row["validity"], row["next_uid"], row["began_at"]) if row else None

    async def save(self, source: str, place: Place) -> None:
        """Keep the place."""
        await self._collection.replace_one({"_id": source}, vars(place), upsert=True)


@dataclass(frozen=True)
class Receiver:
    """Where fetched mails go, and whether more may come."""

    store: Callable[[Delivery], Awaitable[Sequence[str]]]
    may_take: Callable[[int], bool]
    places: Places
    clock: Clock
    health: Health


class Fetcher:
    """Reads one source: first what came in the meantime, then as it comes."""

    def __init__(self, source: IMAPSource, receiver: Receiver) -> None:
        self.name = f"imap {source.user}@{source.host}/{source.folder}"
        self._source = source
        self._receiver = receiver
        self._leaving = threading.Event()
        self._busy: asyncio.Future[Any] | None = None

    async def run(self) -> None:
        """Fetch until cancelled; raises where the connection or the store fails."""
        try:
            box = await asyncio.to_thread(IMAPBox, self._source, await _secret(self._source))
            await self._read(box)
        except Exception as error:
            self._tell(type(error).__name__)
            raise

    async def _read(self, box: IMAPBox) -> None:
        try:
            while True:
                await self._catch_up(box)
                self._tell("")
                await self._alone(box.wait, self._leaving)
        finally:
            self._leaving.set()
            if self._busy is not None:
                await asyncio.wait([self._busy])  # a connection is for one thread at a time
            await asyncio.to_thread(box.close)
            self._leaving.clear()

    async def _alone(self, call: Callable[..., T], *arguments: object) -> T:
        """Do it in a thread; who is cancelled meanwhile finds in ``_busy`` what still runs."""
        busy = asyncio.ensure_future(asyncio.to_thread(call, *arguments))
        self._busy = busy
        return await asyncio.shield(busy)

    async def _catch_up(self, box: IMAPBox) -> None:
        place = await self._place(box)
        since = None if self._source.existing else place.began_at
        for uid in await self._alone(box.uids, place.next_uid, since):
            raw = await self._alone(box.fetch, uid)
            if raw is not None:
                await self._take(raw)
                await self._alone(box.finish, uid)
            await self._receiver.places.save(
                self.name, Place(place.validity, uid + 1, place.began_at)
            )

    async def _place(self, box: IMAPBox) -> Place:
        found = await self._receiver.places.load(self.name)
        if found and found.validity == box.folder.validity:
            return found
        if found:  # the server has numbered its mails anew; those we have are known by their key
            return Place(box.folder.validity, 1, found.began_at)
        first = 1 if self._source.existing else box.folder.next_uid
        place = Place(box.folder.validity, first, self._receiver.clock.now())
        await self._receiver.places.save(self.name, place)
        return place

    async def _take(self, raw: bytes) -> None:
        if not self._receiver.may_take(len(raw)):
            raise NotTakenError
        answer, *_ = await self._receiver.store(delivery_of(raw, self._source.mailbox))
        if answer.startswith("4"):
            raise NotTakenError
        if answer.startswith("5"):
            # Nobody waits for our answer any more: the mail stays in its folder, as done.
            _log.warning("fetched mail refused", source=self.name, answer=answer)

    def _tell(self, trouble: str) -> None:
        check = Check(is_ok=not trouble, detail=trouble, needed=False)
        self._receiver.health.set(self.name, check)


def delivery_of(raw: bytes, mailbox: str) -> Delivery:
    """Make what SMTP would have said from what the mail says of itself; there is no client."""
    body = Body(is_roomy=lambda: True)
    body.write(raw)
    end = raw.find(b"\r\n\r\n", 0, HEAD_BYTES)
    head = raw[: end if end >= 0 else HEAD_BYTES]
    return Delivery(
        body=body,
        sender=_sender(head),
        recipients=[Recipient(mailbox, _recipient(head, mailbox))],
        client="",
        helo="",
        is_encrypted=False,
    )


def _sender(head: bytes) -> str:
    # Without Return-Path the author stands for the envelope: "" would say that it is a report.
    found = _RETURN_PATH.search(head) or _FROM.search(head)
    return found[1].decode("utf-8", "replace")[:320] if found else FROM_NOBODY


def _recipient(head: bytes, mailbox: str) -> str:
    """Find the signed form of the mailbox's address, ``name+token@domain``."""
    name, _, domain = mailbox.partition("@")
    signed = re.compile(
        re.escape(name.encode()) + rb"\+[A-Za-z0-9._-]{1,64}@" + re.escape(domain.encode()),
        re.IGNORECASE,
    )
    for field in _TO.finditer(head):
        if found := signed.search(field[1]):
            return found[0].decode()
    return mailbox


async def _secret(source: IMAPSource) -> str:
    """Read it anew each time: files are replaced and tokens end."""
    if not source.token_command:
        text = await asyncio.to_thread(Path(source.password_file).read_text, "utf-8")
        return text.strip()
    process = await asyncio.create_subprocess_exec(
        *source.token_command, stdout=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(TOKEN_S):
            said, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        raise NoTokenError from None
    if process.returncode != 0 or not said.strip():
        raise NoTokenError
    return said.decode().strip()
