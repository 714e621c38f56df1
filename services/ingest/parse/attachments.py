"""Attachments with names as the sender meant them; winmail.dat and uuencoded text opened."""

import re

from services.ingest.parse.encoded_words import tidy
from services.ingest.parse.mail import Attachment
from services.ingest.parse.structure import Part
from services.ingest.parse.tnef import TNEF_TYPES, Unpacked, unpack
from services.ingest.parse.transfer import uudecode

_UU_BLOCK = re.compile(
    r"^begin [0-7]{3,4} (\S.*)\n((?:[!-`][ -`]*\n)*?)[` ]?\s*\n?end[ \t]*$", re.MULTILINE
)
_TURNS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # "exe.fdp" shown as "pdf.exe"
_MAX_NAME = 255  # characters; file systems take no more


def attachment(part: Part) -> Attachment:
    """Return the attachment that a leaf or an attached mail is."""
    return Attachment(
        name=name_of(part),
        content_type=part.content_type,
        content_id=part.headers.get("content-id").decode("utf-8", "replace").strip("<> \t\r\n"),
        is_inline=part.disposition == "inline" or "content-id" in part.headers,
        payload=part.content,
    )


def name_of(part: Part) -> str | None:
    """Return the file's name: Content-Disposition first, then Content-Type (RFC 2183, 2.3)."""
    for written in (
        part.disposition_params.get("filename"),
        part.params.get("name"),
        part.disposition_params.get("name"),
        part.params.get("filename"),
    ):
        if written and (name := clean_name(written)):
            return name
    return None


def clean_name(written: str) -> str:
    """Return the last segment of a path, without controls and turns of the writing direction."""
    name = re.split(r"[\\/]", _TURNS.sub("", tidy(written)).rstrip("\\/ "))[-1].strip()
    return name[:_MAX_NAME] if name.strip(". ") else ""


def expand(part: Part) -> Unpacked | None:
    """Return what is inside when the part is a winmail.dat that can be read."""
    name = (name_of(part) or "").lower()
    if part.content_type in TNEF_TYPES or name in {"winmail.dat", "win.dat"}:
        return unpack(part.content)
    return None


def take_uuencoded(text: str) -> tuple[str, list[Attachment]]:
    """Cut uuencoded files out of a text; return what remains and the files."""
    if "\nbegin " not in "\n" + text or "\nend" not in text:
        return text, []
    files: list[Attachment] = []

    def _cut(match: re.Match[str]) -> str:
        payload = uudecode(match[0].encode("latin-1", "replace"))
        files.append(
            Attachment(clean_name(match[1]) or None, "application/octet-stream", "", False, payload)
        )
        return ""

    return _UU_BLOCK.sub(_cut, text), files
