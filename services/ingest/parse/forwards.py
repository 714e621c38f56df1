"""A mail whose body is somebody else's mail, forwarded by hand, inline or attached."""

import re
from dataclasses import dataclass

from services.ingest.parse.addresses import mailboxes
from services.ingest.parse.attributions import attribution_at
from services.ingest.parse.encoded_words import header_text
from services.ingest.parse.header_blocks import block_at
from services.ingest.parse.lines import Line
from services.ingest.parse.mail import Mail
from services.ingest.parse.reports import outer_parts, report_kind
from services.ingest.parse.structure import Part
from services.ingest.parse.words.delimiters import is_forwarded, is_original
from services.ingest.parse.words.subjects import FORWARD_PREFIX, REPLY_PREFIX

_AHEAD = 8  # lines between the marker and the block below it
_ADDRESS = re.compile(r"[^\s<>()\[\]\"':;,*]+@[^\s<>()\[\]\"':;,*]+")
_NAMED = re.compile(r"forwarded message from (.{1,120}?)\s*-{2,}", re.IGNORECASE)


@dataclass(frozen=True)
class Forward:
    """The original mail, as far as the forward says; every field may be empty."""

    sender: str = ""
    subject: str = ""
    date: str = ""


def read_forward(root: Part, mail: Mail, lines: list[Line]) -> Forward | None:
    """Return what was forwarded, None when the mail is no forward."""
    if report_kind(root):
        return None
    is_named = FORWARD_PREFIX.match(mail.subject) is not None
    if is_named or any(_is_marker(line.text) for line in lines):
        opening = next((x for x in range(len(lines)) if _opens(lines, x, is_named=is_named)), None)
        if opening is not None and _is_forward(lines, opening, is_named=is_named):
            return _below(lines, opening, mail)
        if opening is not None and not is_named:
            return None
    return _attached(root, mail, is_named=is_named)


def _opens(lines: list[Line], index: int, *, is_named: bool) -> bool:
    """Whether somebody else's words begin on the line, forwarded or quoted."""
    line = lines[index]
    if _is_marker(line.text):
        return True
    if not line.text.strip():
        return False
    if line.depth:
        return is_named and block_at(lines, index) is not None
    if is_original(line.text) or block_at(lines, index) is not None:
        return True
    return not is_named and attribution_at(lines, index) > index


def _is_forward(lines: list[Line], index: int, *, is_named: bool) -> bool:
    return is_named or (_is_marker(lines[index].text) and not lines[index].depth)


def _is_marker(text: str) -> bool:
    return is_forwarded(text) or ("--" in text and _NAMED.search(text[:300]) is not None)


def _below(lines: list[Line], index: int, mail: Mail) -> Forward:
    for start in range(index, min(len(lines), index + _AHEAD)):
        block = block_at(lines, start)
        if block is not None:
            values = block.values
            subject = values.get("subject", "") or _own_subject(mail)
            return Forward(_address(values.get("from", "")), subject, values.get("date", ""))
    named = _NAMED.search(lines[index].text)
    if named:
        return Forward(_address(named[1]), _own_subject(mail))
    near = " ".join(line.text for line in lines[index : index + _AHEAD])
    match = _ADDRESS.search(near)
    return Forward(match[0] if match else "", _own_subject(mail))


def _address(written: str) -> str:
    """Return the bare address in a block's From line, "" when it shows the name alone."""
    match = _ADDRESS.search(re.sub(r"(?i)mailto:", " ", written))
    return match[0].rstrip(".") if match else ""


def _own_subject(mail: Mail) -> str:
    return FORWARD_PREFIX.sub("", mail.subject, count=1).strip()


def _attached(root: Part, mail: Mail, *, is_named: bool) -> Forward | None:
    """A mail attached to a mail that says in its subject that it forwards one."""
    attached = [p for p in outer_parts(root) if p.is_message]
    if not attached or root.content_type == "multipart/digest":
        return None
    headers = attached[0].children[0].headers
    subject = header_text(headers.get("subject"))
    is_same = bool(subject) and subject.lower() == mail.subject.lower()
    is_alone = not mail.text.strip() and len(attached) == 1
    is_reply = REPLY_PREFIX.match(mail.subject) is not None
    if not is_named and (is_reply or not (is_alone or is_same)):
        return None
    senders = mailboxes(headers.get("from"))
    date = header_text(headers.get("date"))
    return Forward(senders[0].address if senders else "", subject, date)
