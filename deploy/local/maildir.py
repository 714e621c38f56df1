"""Mailboxes of the local mail server: a Maildir for each address, written atomically."""

import os
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count
from pathlib import Path

_SAFE_ADDRESS = re.compile(r"[^\s/@\x00.][^\s/@\x00]*@[^\s/@\x00.][^\s/@\x00]*")
_counter = count()


@dataclass(frozen=True)
class StoredMail:
    """One mail of a mailbox."""

    path: Path
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """The mail parsed; broken parts are kept as far as the parser can."""
        return message_from_bytes(self.raw, policy=policy.default)


def folder_of(root: Path, address: str) -> Path:
    """Return the Maildir of an address, which need not exist; case of letters does not matter.

    Raises:
        ValueError: not an address, or one that no folder can be named after.
    """
    if not _SAFE_ADDRESS.fullmatch(address):
        raise ValueError(f"{address!r} is no address with a mailbox here")
    return root / address.lower()


def create(folder: Path) -> None:
    """Make an empty Maildir, if there is none."""
    for name in ("tmp", "new", "cur"):
        (folder / name).mkdir(parents=True, exist_ok=True)


def deliver(root: Path, address: str, raw: bytes, *, sender: str) -> Path:
    """Store a mail; it appears whole or not at all. Line ends become LF, as Maildirs have them.

    ``Return-Path`` keeps the envelope's sender (RFC 5321, 4.4).
    """
    folder = folder_of(root, address)
    if not (folder / "cur").is_dir():
        create(folder)
    name = f"{time.time_ns()}.P{os.getpid()}Q{next(_counter)}.{socket.gethostname()}"
    head = f"Return-Path: <{sender}>\nDelivered-To: {address}\n".encode()
    part = folder / "tmp" / name
    part.write_bytes(head + raw.replace(b"\r\n", b"\n"))
    return part.rename(folder / "new" / name)


def mails(root: Path, address: str) -> list[StoredMail]:
    """Return the mails of an address, oldest first; none where there is no mailbox.

    A mail program may rename a file meanwhile (new to cur, flags): such a file is looked up again.
    """
    folder = folder_of(root, address)
    found: dict[str, StoredMail] = {}
    for _ in range(3):
        complete = True
        for path in _files(folder):
            key = path.name.partition(":")[0]
            try:
                found[key] = StoredMail(path, path.read_bytes())
            except FileNotFoundError:
                complete = False
        if complete:
            break
    return [found[key] for key in sorted(found, key=_age)]


def addresses(root: Path) -> list[str]:
    """Return the addresses that have a mailbox."""
    return sorted(path.name for path in root.glob("*@*") if (path / "new").is_dir())


def _files(folder: Path) -> Iterator[Path]:
    for name in ("new", "cur"):
        if (folder / name).is_dir():
            yield from (folder / name).iterdir()


def _age(key: str) -> tuple[int, str]:
    stamp = key.partition(".")[0]
    return (int(stamp) if stamp.isdigit() else 0, key)
