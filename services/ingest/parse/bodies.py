"""Which parts of the tree are the shown text, and which are attachments."""

import re
from dataclasses import dataclass, field

from services.ingest.parse.charsets import decode
from services.ingest.parse.structure import Part

_SHOWN = frozenset(
    {
        "text/plain",
        "text/html",
        "text/enriched",
        "text/richtext",
        "text/markdown",
        "text/x-markdown",
    }
)
_EXTRA_VIEWS = frozenset({"text/x-amp-html", "text/watch-html"})  # further forms of a shown text
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_HTML_START = re.compile(r"\s*(<!doctype html|<html[\s>])", re.IGNORECASE)
_ENRICHED = re.compile(r"<param>[^<]{0,500}</param>|</?[A-Za-z][\w-]{0,40}>", re.IGNORECASE)
_MARKUP = re.compile(r"<[^<>]*>")
_NO_TEXT = re.compile(
    r"(client|program|reader|viewer|programm|software|browser)\b.{0,60}(support|display|show|html|unterstützt)"
    r"|\bhtml\b.{0,40}(format|version|capable|viewer|reader|client|e-?mail|message|required)"
    r"|(view|read|display) (this|the) (message|e-?mail|mail)\b.{0,60}(html|browser|online)",
    re.IGNORECASE | re.DOTALL,
)
_PLACEHOLDER = 300  # characters; a longer plain form is a text


@dataclass
class Bodies:
    """The shown texts in order, and everything else."""

    texts: list["Body"] = field(default_factory=list)
    attachments: list[Part] = field(default_factory=list)


@dataclass
class Body:
    """One shown text; where the sender gave two forms of it, both."""

    plain: str | None = None
    html: str | None = None


def bodies(root: Part) -> Bodies:
    """Sort the leaves of the tree into shown text and attachments."""
    found = Bodies()
    _collect(root, found, "")
    return found


def charset_hint(root: Part) -> str:
    """Return the first charset that a text part names, for headers sent raw."""
    for part in root.walk():
        if part.content_type.startswith("text/") and (name := part.params.get("charset")):
            return name
    return ""


def _collect(part: Part, found: Bodies, inside: str) -> None:
    if part.is_multipart:
        if part.content_type == "multipart/alternative":
            _alternative(part, found)
            return
        for child in part.children:
            _collect(child, found, part.content_type)
    elif part.content_type.startswith("multipart/"):
        _unsplit(part, found)
    elif _is_shown(part, found, inside):
        found.texts.append(_body(part))
    elif part.content_type not in _EXTRA_VIEWS:
        found.attachments.append(part)


def _unsplit(part: Part, found: Bodies) -> None:
    """A multipart without parts: show what is there, since the sender meant something by it."""
    boundary = "--" + part.params.get("boundary", "")
    text = decode(part.content, part.params.get("charset", "")).strip()
    if text and text.removesuffix("--") != boundary:
        found.texts.append(Body(plain=text))


def _alternative(part: Part, found: Bodies) -> None:
    """Join the forms of one text; what belongs to neither form is an attachment."""
    inner = Bodies()
    for child in part.children:
        _collect(child, inner, part.content_type)
    body = Body()
    for text in inner.texts:
        body.plain = _later(body.plain, text.plain)
        body.html = _later(body.html, text.html)
    if body.plain is not None or body.html is not None:
        found.texts.append(body)
    found.attachments += inner.attachments


def _later(known: str | None, new: str | None) -> str | None:
    """Join texts of one form inside an alternative; Apple splits the HTML round a picture."""
    if known is None or new is None:
        return new if known is None else known
    return known if _words(new) == _words(known) else known + "\n" + new


def _words(text: str) -> str:
    return "".join(_MARKUP.sub("", text).split())


def _is_shown(part: Part, found: Bodies, inside: str) -> bool:
    if part.content_type not in _SHOWN or part.disposition == "attachment":
        return False
    is_named = bool(part.disposition_params.get("filename") or part.params.get("name"))
    if not is_named:
        return True
    if inside == "multipart/alternative" or part.disposition == "":
        return not found.texts or inside == "multipart/alternative"
    return not found.texts and inside == ""


def _body(part: Part) -> Body:
    if part.content_type == "text/html":
        return Body(html=decode_html(part))
    text = decode(part.content, part.params.get("charset", ""))
    if part.content_type in {"text/enriched", "text/richtext"}:
        return Body(plain=_ENRICHED.sub("", text).replace("<<", "<"))
    if _HTML_START.match(text[:500]):
        return Body(html=text)
    return Body(plain=_stuffed(text, part.params))


def decode_html(part: Part) -> str:
    """Decode HTML by its part's charset, else by its own meta element."""
    data = part.content
    declared = part.params.get("charset", "")
    if not declared or declared.lower() in {"us-ascii", "ascii"}:
        meta = _META_CHARSET.search(data[:4000])
        declared = meta[1].decode("ascii") if meta else declared
    return decode(data, declared)


def _stuffed(text: str, params: dict[str, str]) -> str:
    """Undo space-stuffing of flowed text (RFC 3676, 4.4), and its soft breaks where words join."""
    if params.get("format", "").lower() != "flowed":
        return text
    text = re.sub(r"(?m)^ (?=\S| )", "", text.replace("\r\n", "\n"))
    if params.get("delsp", "").lower() == "yes":
        text = re.sub(r"(?m)(?<!^--) \n(?=[^>\n])", "", text)
    return text


def is_placeholder(plain: str, html: str) -> bool:
    """Whether a plain form says nothing but that there is an HTML form."""
    short = plain.strip()
    if not short:
        return True
    if len(short) > _PLACEHOLDER or _NO_TEXT.search(short) is None:
        return False
    return "".join(short.split())[:30] not in "".join(html.split())
