"""HTML made harmless with an own allow-list: cid: pictures kept, nothing loaded from elsewhere."""

import re

import nh3

from services.ingest.parse.html_text import html_lines

_MAX_CHARACTERS = 1_000_000  # RELIABILITY T17
_MAX_DEPTH = 200  # open elements; the sanitiser's time grows with the square
_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "center", "cite", "code", "col",
    "colgroup", "dd", "del", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "h1",
    "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p",
    "pre", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "table",
    "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "wbr", "font",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "width", "height", "title"},
    "td": {"colspan", "rowspan", "align", "valign"},
    "th": {"colspan", "rowspan", "align", "valign"},
    "ol": {"start", "type"},
    "table": {"border", "align"},
    "col": {"span"},
    "*": {"dir", "lang"},
}
_CLEAN_CONTENT = {
    "script",
    "style",
    "title",
    "head",
    "template",
    "iframe",
    "object",
    "svg",
    "math",
    "noscript",
}
_OPENING = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_VOID = frozenset(
    {
        "br",
        "hr",
        "img",
        "input",
        "meta",
        "link",
        "col",
        "wbr",
        "area",
        "base",
        "p",
        "li",
        "td",
        "tr",
        "th",
    }
)


def sanitised(html: str) -> str:
    """Return the HTML that may be shown; what is too deep or too long comes back as plain lines."""
    if not html.strip():
        return ""
    if len(html) > _MAX_CHARACTERS or _depth(html) > _MAX_DEPTH:
        return nh3.clean_text("\n".join(line.shown for line in html_lines(html)))
    return _CLEANER.clean(html)


def _attribute(tag: str, name: str, value: str) -> str | None:
    if tag == "img" and name == "src":
        return value if value.lower().startswith("cid:") else None
    return value


_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags=_CLEAN_CONTENT,
    attributes=_ATTRIBUTES,
    attribute_filter=_attribute,
    url_schemes={"http", "https", "mailto", "tel", "cid"},
    link_rel="noopener noreferrer nofollow",
    strip_comments=True,
)


def _depth(html: str) -> int:
    """Return how deep elements can nest, counting those that a parser keeps open."""
    depth = deepest = 0
    for match in _OPENING.finditer(html):
        if match[2].lower() in _VOID:
            continue
        depth = max(depth - 1, 0) if match[1] else depth + 1
        deepest = max(deepest, depth)
    return deepest
