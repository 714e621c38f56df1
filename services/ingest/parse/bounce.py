"""Delivery failures and delays: RFC 3464 reports, and the many notices that are none."""

import re
from dataclasses import dataclass, field

from services.ingest.parse.addresses import mailboxes
from services.ingest.parse.bounce_text import has_copy, read_notice
from services.ingest.parse.encoded_words import header_text
from services.ingest.parse.headers import Headers
from services.ingest.parse.identifiers import first_id
from services.ingest.parse.mail import BounceKind, Mail
from services.ingest.parse.reports import report_kind, returned_headers, status_blocks
from services.ingest.parse.senders import is_daemon, is_unread
from services.ingest.parse.structure import Part
from services.ingest.parse.words.casing import lowered
from services.ingest.parse.words.subjects import (
    AUTO_PREFIX,
    BOUNCE_SUBJECT,
    FORWARD_PREFIX,
    REPLY_PREFIX,
)

_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_ADDRESS = re.compile(r"[^\s<>()\[\]\"':;,]+@[^\s<>()\[\]\"':;,]+")


@dataclass(frozen=True)
class Failure:
    """What a notice says: empty for a mail that is none."""

    kind: BounceKind = ""
    recipients: tuple[str, ...] = ()
    status: str = ""
    message_id: str = ""
    report: str = ""  # "delivery", "disposition", "feedback", "" as in ``report_kind``
    diagnostic: str = ""  # what the other server said


@dataclass
class _Found:
    failed: list[str] = field(default_factory=list)
    delayed: list[str] = field(default_factory=list)
    status: str = ""
    diagnostic: str = ""
    actions: int = 0


def read_bounce(root: Part, mail: Mail) -> Failure:
    """Say whether the mail reports that another one failed or is delayed, and for whom."""
    report = report_kind(root)
    if report in {"feedback", "disposition"}:
        return Failure(report=report, message_id=_returned_id(root))
    found = _from_status(status_blocks(root))
    if found.failed or found.delayed or found.actions:
        return _failure(found, root, report)
    if not report and not _looks_like_notice(root, mail):
        return Failure()
    notice = read_notice(root, mail)
    if not notice.kind:
        return Failure(report=report)
    return Failure(
        notice.kind,
        tuple(notice.recipients),
        notice.status,
        _returned_id(root) or notice.message_id,
        report,
    )


def _failure(found: _Found, root: Part, report: str) -> Failure:
    kind: BounceKind = "failed" if found.failed else "delayed" if found.delayed else ""
    recipients = tuple(dict.fromkeys(found.failed + found.delayed))
    return Failure(
        kind, recipients, found.status, _returned_id(root), report, diagnostic=found.diagnostic
    )


def _from_status(blocks: list[Headers]) -> _Found:
    found = _Found()
    for block in blocks:
        recipient = _recipient(block)
        if not recipient and "action" not in block:
            continue
        action = block.word("action").split(" ")[0].strip(".;,()\"'")
        status = _STATUS.search(block.word("status")) or _STATUS.search(
            block.word("diagnostic-code")
        )
        found.actions += bool(action)
        if action in {"failed", "failure", "fail", "error"} or (
            not action and status and status[1][0] == "5"
        ):
            found.failed += [recipient] if recipient else []
        elif action in {"delayed", "delay", "deferred"} or (
            not action and status and status[1][0] == "4"
        ):
            found.delayed += [recipient] if recipient else []
        elif action in {"delivered", "relayed", "expanded", "deliverable"}:
            continue
        elif recipient:
            found.failed.append(recipient)
        if status and not found.status:
            said = _diagnostic(block)
            found.status, found.diagnostic = _nearer(status[1], said), said
    return found


def _diagnostic(block: Headers) -> str:
    """The words of ``Diagnostic-Code: smtp; words`` (RFC 3464, 2.3.6)."""
    kind, semicolon, words = header_text(block.get("diagnostic-code")).partition(";")
    return (words if semicolon else kind).strip()


def _nearer(status: str, diagnostic: str) -> str:
    """The code that the other server gave, where the report itself says no more than "failed"."""
    said = _STATUS.search(diagnostic) if status.endswith(".0.0") else None
    return said[1] if said and said[1][0] == status[0] else status


def _recipient(block: Headers) -> str:
    for name in ("original-recipient", "final-recipient", "x-actual-recipient"):
        kind, semicolon, value = header_text(block.get(name)).partition(";")
        text = value if semicolon else kind
        boxes = mailboxes(text.encode())
        if boxes and "@" in boxes[0].address:
            return boxes[0].address
        if match := _ADDRESS.search(text):
            return match[0]
    return ""


def _returned_id(root: Part) -> str:
    headers = returned_headers(root)
    return first_id(headers.get("message-id")) if headers is not None else ""


def _looks_like_notice(root: Part, mail: Mail) -> bool:
    """Weigh the sender, the subject and the null envelope; one sign of a person ends it."""
    is_mailer = mail.from_addr.lower().startswith("mailer-daemon")
    if is_mailer or "x-failed-recipients" in root.headers:
        return True
    if (
        FORWARD_PREFIX.match(mail.subject)
        or REPLY_PREFIX.match(mail.subject)
        or AUTO_PREFIX.match(mail.subject)
    ):
        return False
    by_daemon = is_daemon(mail.from_addr, mail.from_name)
    is_null = root.headers.get("return-path").strip() == b"<>"
    subject = lowered(mail.subject)
    by_subject = BOUNCE_SUBJECT.search(subject) is not None
    if by_daemon or ((is_null or not mail.from_addr) and by_subject):
        return True
    opens = BOUNCE_SUBJECT.match(subject) is not None
    if opens and is_unread(mail.from_addr):
        return True
    return (
        opens
        and not mail.in_reply_to
        and (returned_headers(root) is not None or has_copy(mail.text))
    )
