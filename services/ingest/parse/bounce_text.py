"""Notices of failure in free text: what qmail, Exim, Exchange, Notes and many others write."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from email import message_from_bytes

from flufl.bounce import all_failures

from services.ingest.parse.mail import BounceKind, Mail
from services.ingest.parse.reports import outer_parts
from services.ingest.parse.structure import Part
from services.ingest.parse.words.notices import (
    ADVICE,
    COPY,
    DELAY,
    EXPLAINS,
    FINAL,
    NOT_RECIPIENTS,
)

_ADDRESS = re.compile(
    r"(?<![\w.@+-])[\w.!#$%&'*+/=?^`{|}~-]+@(?:[\w-]+\.)+[\w-]+|(?<=<)(?!mailto:)[^\s<>@\"]+@[^\s<>@\"]+(?=>)"
)
_STATUS = re.compile(r"(?<![\d.])([45]\.\d{1,3}\.\d{1,3})(?![\d.])")
_MESSAGE_ID = re.compile(r"^[>\s|]*message-id:\s*<([^<>\s]+)>", re.IGNORECASE | re.MULTILINE)
_MAILTO = re.compile(r"(?<=\w)<mailto:[^<>]*>", re.IGNORECASE)
_NOT_ASCII = re.compile(rb"[^\x09-\x7e]")
_MAX_CHARACTERS = 20_000  # of a notice; what follows is the returned mail
_MAX_LIBRARY_BYTES = 200_000  # of a mail that the library's slow parser is given
_MAX_RECIPIENTS = 500


@dataclass
class Notice:
    """What the text says."""

    kind: BounceKind = ""
    recipients: list[str] = field(default_factory=list)
    status: str = ""
    message_id: str = ""


def has_copy(text: str) -> bool:
    """Whether the text goes on with the mail that came back."""
    return COPY.search(text[:_MAX_CHARACTERS]) is not None


def read_notice(root: Part, mail: Mail) -> Notice:
    """Read a notice that is no RFC 3464 report; the kind is empty when it reports no failure."""
    full = _text(root, mail)
    cut = COPY.search(full)
    text = full[: cut.start()] if cut and cut.start() > 0 else full
    exim = _ADDRESS.findall(
        b" ".join(root.headers.all("x-failed-recipients")).decode("ascii", "replace")
    )
    notice = Notice()
    permanent, temporary = _by_library(root)
    notice.recipients = exim or permanent + temporary or _addresses(text, mail)
    if not notice.recipients and cut:
        notice.recipients = _addressed_in_copy(full[cut.start() :])
    notice.kind = _kind(
        text,
        mail,
        has_temporary=bool(temporary and not permanent),
        is_known=bool(exim or permanent),
    )
    notice.recipients = (
        list(dict.fromkeys(notice.recipients))[:_MAX_RECIPIENTS] if notice.kind else []
    )
    status = _STATUS.search(text)
    notice.status = status[1] if status else ""
    match = _MESSAGE_ID.search(full)
    notice.message_id = match[1] if match else ""
    return notice


def _text(root: Part, mail: Mail) -> str:
    """Return the notice's own text; broken reports keep theirs in odd parts."""
    if mail.text.strip():
        return mail.text[:_MAX_CHARACTERS]
    texts = [
        p.content.decode("utf-8", "replace")
        for p in outer_parts(root)
        if p.content_type.startswith("text/")
    ]
    return "\n".join(texts)[:_MAX_CHARACTERS]


def _by_library(root: Part) -> tuple[list[str], list[str]]:
    """Ask flufl.bounce, which knows two dozen mail systems of old."""
    if len(root.body) > _MAX_LIBRARY_BYTES:
        return [], []
    head = b"From: unknown\n" if "from" not in root.headers else b""
    for name, value in root.headers.fields:
        head += name.encode() + b": " + _NOT_ASCII.sub(b"?", value).replace(b"\r", b"") + b"\n"
    try:
        message = message_from_bytes(head + b"\n" + root.body)
        temporary, permanent = all_failures(message)
    except Exception:  # noqa: BLE001 - the library's detectors trip over broken mails
        return [], []
    return _plain(permanent), _plain(temporary)


def _plain(addresses: Iterable[bytes]) -> list[str]:
    found = {a.decode("utf-8", "replace").strip("<> ").removeprefix("mailto:") for a in addresses}
    return sorted(a for a in found if "@" in a)


def _kind(text: str, mail: Mail, *, has_temporary: bool, is_known: bool) -> BounceKind:
    about = f"{mail.subject}\n{text}"
    if DELAY.search(about) and not FINAL.search(re.sub(r"(?i)if .{0,200}", "", about)):
        return "delayed"
    if re.search(r"warning|delay|verzög", mail.subject, re.IGNORECASE) and DELAY.search(about):
        return "delayed"
    if has_temporary:
        return "delayed"
    if is_known or (EXPLAINS.search(text) and FINAL.search(about)):
        return "failed"
    return ""


def _addresses(text: str, mail: Mail) -> list[str]:
    """Return the addresses that the notice names, without advice and without our own."""
    own = {a.lower() for a in (mail.from_addr, *mail.to_addrs)}
    found: list[str] = []
    for line in _MAILTO.sub("", text).split("\n"):
        for address in _ADDRESS.findall(line[:1000]):
            clean = address.strip(".'\"`=")
            if (
                clean.lower() in own
                or NOT_RECIPIENTS.match(clean)
                or ADVICE.search(line.replace(clean, ""))
            ):
                continue
            found.append(clean)
    return found


def _addressed_in_copy(copy: str) -> list[str]:
    match = re.search(r"^[>\s|]*to:\s*(.+)$", copy, re.IGNORECASE | re.MULTILINE)
    return _ADDRESS.findall(match[1]) if match else []
