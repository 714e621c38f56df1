"""HTML cut into tags and text in linear time, however broken or deep it is."""

import re
from collections.abc import Iterator
from html import unescape
from typing import NamedTuple

_NAME = re.compile(r"/?[a-zA-Z][^\s/>]*")
_TAG_REST = re.compile(r"(?:[^\"'>]|\"[^\"]*\"|'[^']*')*+>")
_ATTRIBUTE = re.compile(r"([a-zA-Z][\w:.-]*)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")
_RAW_TEXT_END = {
    name: re.compile(rf"</{name}\b[^>]*>?", re.IGNORECASE)
    for name in ("script", "style", "title", "textarea", "xmp")
}
_TAG_WINDOW = 20_000  # characters; a longer tag has an unclosed quote


class Token(NamedTuple):
    """A tag, or text when ``tag`` is empty."""

    tag: str  # lower case without namespace prefix, "" for text
    is_end: bool
    text: str  # entities decoded, or the attributes as written


def tokens(html: str) -> Iterator[Token]:
    """Yield tags and text in order; comments, declarations, scripts and styles are left out."""
    position, quotes_work = 0, True
    while (start := html.find("<", position)) >= 0:
        if start > position:
            yield Token("", False, unescape(html[position:start]))
        if html.startswith(("<!", "<?"), start):
            position = _after_declaration(html, start)
            continue
        name = _NAME.match(html, start + 1)
        if name is None:
            yield Token("", False, "<")
            position = start + 1
            continue
        end = _tag_end(html, name.end()) if quotes_work else -1
        if end < 0:
            quotes_work = False
            end = html.find(">", name.end()) + 1 or len(html)
        tag = name[0].lower()
        is_end, tag = tag.startswith("/"), tag.lstrip("/")
        position = end
        if not is_end and tag in _RAW_TEXT_END:
            closing = _RAW_TEXT_END[tag].search(html, end)
            position = closing.end() if closing else len(html)
            continue
        yield Token(tag, is_end, html[name.end() : end - 1])
    if position < len(html):
        yield Token("", False, unescape(html[position:]))


def attributes(written: str) -> dict[str, str]:
    """Return a tag's attributes, names in lower case, values with entities decoded."""
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(written):
        value = match[2] or match[3] or match[4] or ""
        found.setdefault(match[1].lower(), unescape(value) if "&" in value else value)
    return found


def _tag_end(html: str, position: int) -> int:
    match = _TAG_REST.match(html, position, position + _TAG_WINDOW)
    return match.end() if match else -1


def _after_declaration(html: str, start: int) -> int:
    """Skip a comment, a doctype or a conditional of Word's; what it wraps for others is read."""
    if html.startswith("<!--", start):
        if html.startswith(("<!-->", "<!--->"), start):
            return html.find(">", start) + 1
        end = html.find("-->", start + 4)
        return end + 3 if end >= 0 else len(html)
    return html.find(">", start) + 1 or len(html)
