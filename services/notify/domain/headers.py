"""The header fields of each class of mail, and what makes mails one thread everywhere.

The profiles are a table of the project's rules for outgoing mail; nothing here is configured.
"""

import base64
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Literal

from services.notify.domain import wire

MailClass = Literal[
    "acknowledgement", "answer", "resolution", "notice", "watch", "digest", "result"
]

REFERENCES_OCTETS = 1_500
"""Some relays refuse header blocks above 4 KiB, so References must not fill one."""
REAL_IDS = 8
SUBJECT_CHARS = 400
_TENANT_NAMESPACE = uuid.UUID("6f3c1c4e-2f7b-5d0a-9a55-70d5de5c0001")
_FILETIME_1601 = datetime(1601, 1, 1, tzinfo=UTC)
_ROOT_OCTETS = 22
_CHILD_OCTETS = 5
_LONGEST_INDEX = 22 + 5 * 60  # the field must fit into one line
_ID = re.compile(r"[!-;=?-~]{1,900}")


@dataclass(frozen=True)
class Profile:
    """What a class of mail says about itself (RFC 3834, RFC 2919, MS-OXCMAIL 2.1.3.2.20)."""

    auto_submitted: str = ""
    precedence: str = ""
    suppress: str = ""
    list_name: str = ""  # "{reason}" is the reason's word
    unsubscribe: bool = False
    bounces: bool = True

    @property
    def automatic(self) -> bool:
        """Whether no human wrote it for this reader, so that caps apply."""
        return bool(self.auto_submitted)


PROFILES: dict[MailClass, Profile] = {
    "acknowledgement": Profile(auto_submitted="auto-replied", suppress="All", bounces=False),
    "answer": Profile(),
    "resolution": Profile(auto_submitted="auto-generated", suppress="OOF, AutoReply"),
    "notice": Profile(
        auto_submitted="auto-generated", suppress="All", list_name="{reason}.{queue}"
    ),
    "watch": Profile(
        auto_submitted="auto-generated",
        suppress="All",
        list_name="watch.{queue}",
        unsubscribe=True,
    ),
    "digest": Profile(
        auto_submitted="auto-generated",
        precedence="bulk",
        suppress="All",
        list_name="digest",
        unsubscribe=True,
    ),
    "result": Profile(
        auto_submitted="auto-replied", suppress="All", list_name="cmd", bounces=False
    ),
}


@dataclass(frozen=True)
class Head:
    """Everything that the fields are made of; addresses are addr-specs, ids without brackets."""

    mail_class: MailClass
    reason: str
    event_id: str
    message_id: str
    root_id: str
    date: datetime
    subject: str
    sender: tuple[str, str]
    to: Sequence[tuple[str, str]]
    host: str
    queue: str
    reply_to: str = ""
    cc: Sequence[tuple[str, str]] = ()
    ids: Sequence[str] = ()  # real ids of the thread, oldest first
    own_id: str = ""  # the recipient's last mail
    thread_index: str = ""
    unsubscribe: str = field(default="")  # mailto URI


def fields(head: Head) -> bytes:
    """The header, without MIME fields and the blank line.

    The same ``head`` gives the same bytes. Raises `wire.UnsafeHeaderError` for an address or id
    that cannot be carried.
    """
    profile = PROFILES[head.mail_class]
    parent = head.own_id or head.root_id
    lines = [
        _date_field(head.date.astimezone(UTC).replace(microsecond=0)),
        wire.mailbox_field("From", [head.sender]),
        wire.mailbox_field("To", head.to),
        wire.mailbox_field("Cc", head.cc) if head.cc else b"",
        wire.text_field("Subject", head.subject),
        wire.plain_field("Message-ID", f"<{head.message_id}>"),
        wire.plain_field("In-Reply-To", f"<{parent}>"),
        wire.plain_field("References", references(head.root_id, head.ids, head.own_id)),
        wire.plain_field("Thread-Index", head.thread_index) if head.thread_index else b"",
        wire.text_field("Thread-Topic", head.subject) if head.thread_index else b"",
        wire.mailbox_field("Reply-To", [("", head.reply_to)]) if head.reply_to else b"",
        wire.plain_field("List-Unsubscribe", f"<{head.unsubscribe}>")
        if profile.unsubscribe and head.unsubscribe
        else b"",
        _class_fields(head.mail_class, head.reason, head.queue, head.host),
        wire.text_field("X-Postdesk-Event", head.event_id),
    ]
    return b"".join(lines)


def references(root_id: str, ids: Iterable[str], parent: str = "") -> str:
    """``<root> [last 8 real ids] <parent>``, within 1,500 octets; bad ids are left out.

    The oldest real ids go first when there is no room; root and parent always stay if they fit.
    """
    tail = [parent] if is_id(parent) and parent != root_id else []
    real = [i for i in dict.fromkeys(ids) if is_id(i) and i not in {root_id, *tail}]
    room = REFERENCES_OCTETS - sum(len(i) + 3 for i in [root_id, *tail])
    kept: list[str] = []
    for identity in reversed(real[-REAL_IDS:]):
        room -= len(identity) + 3
        if room < 0:
            break
        kept.insert(0, identity)
    return " ".join(f"<{i}>" for i in [root_id, *kept, *tail])


def is_id(identity: str) -> bool:
    """Whether it can stand between angle brackets as it is; ids of other people may not."""
    return bool(_ID.fullmatch(identity)) and len(identity) < REFERENCES_OCTETS // 2


def ticket_subject(ticket_id: str, subject: str) -> str:
    """The one subject of all mails of a ticket, unchanged for its life."""
    mark = f"[{ticket_id}]"
    subject = wire.cleaned(subject)
    whole = subject if subject.startswith(mark) else f"{mark} {subject or '(no subject)'}"
    return whole[:SUBJECT_CHARS]


def thread_index(parent: str, *, ticket: str, seed: str, at: datetime) -> str:
    """A child of ``parent`` if that is a valid index, else a fresh one for the ticket, in base64.

    MS-OXOMSG 2.2.1.3: 22 bytes (0x01 and five of the FILETIME, a GUID), then 5 for each answer.
    ``ticket`` names it for ever (id and host), ``seed`` stands in for the random bits.
    """
    now = _filetime(at)
    head = _decoded(parent)
    if head is None:
        guid = uuid.uuid5(_TENANT_NAMESPACE, ticket)
        return base64.b64encode((now >> 16).to_bytes(6) + guid.bytes_le).decode("ascii")
    passed = max(0, now - (int.from_bytes(head[:6]) << 16))
    far = passed >> 49 != 0
    delta = (passed >> (23 if far else 18)) & 0x7FFFFFFF | (far << 31)
    chance = uuid.uuid5(_TENANT_NAMESPACE, seed).bytes[0] & 0xF0
    return base64.b64encode(head + delta.to_bytes(4) + bytes([chance])).decode("ascii")


def word(value: str) -> str:
    """A keyword for header fields and list names: a-z, 0-9 and hyphens."""
    return re.sub(r"[^a-z0-9-]+", "-", value.lower()).strip("-")[:40] or "other"


@lru_cache(maxsize=1)
def _date_field(at: datetime) -> bytes:
    """Of a batch that is written within a second all have the same."""
    return wire.plain_field("Date", format_datetime(at))


@lru_cache(maxsize=256)
def _class_fields(mail_class: MailClass, reason: str, queue: str, host: str) -> bytes:
    """What is the same in all mails of a class, reason and queue."""
    profile = PROFILES[mail_class]
    queue = word(queue)
    named = {
        "Auto-Submitted": profile.auto_submitted,
        "Precedence": profile.precedence,
        "X-Auto-Response-Suppress": profile.suppress,
        "X-Postdesk-Reason": word(reason),
        # class:queue:tenant:SenderId; nothing in it names a person.
        "Feedback-ID": f"{mail_class}:{queue}:{word(host)}:postdesk",
    }
    if profile.list_name:
        name = profile.list_name.format(reason=word(reason), queue=queue)
        named["List-Id"] = f"<{name}.{host}>"
    return b"".join(wire.plain_field(name, value) for name, value in named.items() if value)


def _filetime(at: datetime) -> int:
    """Units of 100 ns since 1601."""
    passed = at.astimezone(UTC) - _FILETIME_1601
    return (passed.days * 86_400 + passed.seconds) * 10_000_000 + passed.microseconds * 10


def _decoded(value: str) -> bytes | None:
    try:
        raw = base64.b64decode("".join(value.split()), validate=True)
    except ValueError:
        return None
    fits = len(raw) >= _ROOT_OCTETS and (len(raw) - _ROOT_OCTETS) % _CHILD_OCTETS == 0
    return raw if fits and raw[0] == 1 and len(raw) <= _LONGEST_INDEX else None
