"""The shown text of a mail, its new words and its attachments."""

import re
from dataclasses import dataclass, field

from services.ingest.parse.attachments import attachment, clean_name, expand, take_uuencoded
from services.ingest.parse.bodies import Bodies, Body, bodies, is_placeholder
from services.ingest.parse.header_blocks import unglued
from services.ingest.parse.html_text import html_lines
from services.ingest.parse.lines import Line, joined, plain_lines
from services.ingest.parse.mail import Attachment
from services.ingest.parse.quotes import reply_lines
from services.ingest.parse.structure import Part

_SAME = 60  # characters without space by which two forms of one text are known
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\ufeff]")


@dataclass
class Content:
    """Text and files of one mail."""

    lines: list[Line] = field(default_factory=list)
    text: str = ""
    reply_text: str = ""
    html: str = ""  # as sent
    attachments: list[Attachment] = field(default_factory=list)


def content_of(root: Part) -> Content:
    """Return the content that the tree holds."""
    found = bodies(root)
    content = Content()
    content.attachments = _attachments(found)
    for body in found.texts:
        _add(content, body)
    content.text = joined(content.lines)
    content.reply_text = joined(_reply(content, found))
    return content


def _add(content: Content, body: Body) -> None:
    if content.lines:
        content.lines.append(Line(""))
    if body.html is not None:
        content.html = body.html if not content.html else f"{content.html}\n<hr>\n{body.html}"
    if body.plain is not None and (body.html is None or not is_placeholder(body.plain, body.html)):
        text, files = take_uuencoded(_clean(body.plain))
        content.attachments += files
        content.lines += unglued(plain_lines(text))
        if not content.html and body.html is None:
            return
    elif body.html is not None:
        _add_html(content, html_lines(_clean(body.html)))


def _add_html(content: Content, lines: list[Line]) -> None:
    """Add the lines, unless they say again what a plain text beside them said."""
    words = "".join(joined(lines).split())
    known = "".join(joined(content.lines).split())
    if not known or (known[:_SAME] not in words and words[:_SAME] not in known):
        content.lines += lines


def _clean(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0c", "\n")
    return _CONTROL.sub("", text)


def _reply(content: Content, found: Bodies) -> list[Line]:
    """Find the new words; where plain text shows no history but the HTML marks it, ask the HTML."""
    lines = reply_lines(content.lines)
    if len(found.texts) != 1 or found.texts[0].plain is None or not found.texts[0].html:
        return lines
    if len(lines) < len(_trimmed(content.lines)):
        return lines
    marked = html_lines(_clean(found.texts[0].html))
    if not any(line.mark == "history" or line.depth for line in marked):
        return lines
    return _up_to(lines, reply_lines(marked))


def _up_to(lines: list[Line], wanted: list[Line]) -> list[Line]:
    """Cut the plain lines after the last one that the HTML's reply holds too."""
    words = "".join("".join(line.text.split()) for line in wanted)
    if not words:
        return lines
    seen = ""
    for index, line in enumerate(lines):
        seen += "".join(line.text.split())
        if len(seen) >= len(words):
            return lines[: index + 1] if seen == words else lines
    return lines


def _trimmed(lines: list[Line]) -> list[Line]:
    while lines and not lines[-1].text.strip():
        lines = lines[:-1]
    return lines


def _attachments(found: Bodies) -> list[Attachment]:
    out: list[Attachment] = []
    for part in found.attachments:
        unpacked = expand(part)
        if unpacked is None:
            out.append(attachment(part))
            continue
        for file in unpacked.files:
            kept = clean_name(file.name or "") or None
            kind = file.content_type or "application/octet-stream"
            out.append(Attachment(kept, kind, file.content_id, bool(file.content_id), file.payload))
        if not found.texts and (unpacked.text or unpacked.html):
            found.texts.append(Body(plain=unpacked.text or None, html=unpacked.html or None))
    return out
