"""HTML to the lines a person sees, each with its quote depth and what mail programs marked."""

import re
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import unquote

from services.ingest.parse.html_marks import (
    Mark,
    hidden_classes,
    is_hidden,
    is_quote,
    is_tight,
    mark_of,
)
from services.ingest.parse.html_tokens import attributes, tokens
from services.ingest.parse.lines import MAX_LINES, Line

_HIDING = frozenset({
    "head", "template", "noframes", "object", "select", "svg", "math", "iframe", "audio",
    "video", "canvas",
})  # fmt: skip
_VOID = frozenset({
    "br", "hr", "img", "input", "meta", "link", "area", "base", "col", "wbr", "source",
    "embed", "param",
})  # fmt: skip
_BLOCKS = frozenset({
    "address", "article", "aside", "body", "center", "dd", "div", "dl", "dt", "fieldset",
    "figure", "footer", "form", "header", "html", "main", "nav", "section", "table", "tbody",
    "thead", "tfoot", "tr", "caption", "li", "ul", "ol", "blockquote", "pre", "dir", "menu",
    "p", "h1", "h2", "h3", "h4", "h5", "h6",
})  # fmt: skip
_SPACED = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "pre", "blockquote", "table"}
)
_LISTS = frozenset({"ul", "ol", "dir", "menu"})
_SELF_CLOSING = {
    "p": {"p"},
    "li": {"li"},
    "td": {"td", "th"},
    "th": {"td", "th"},
    "tr": {"tr", "td", "th"},
}
_SPACE = re.compile(r"[ \t\r\n\f]+")
_INVISIBLE = re.compile("[\u200b\u2060\ufeff\u00ad\u034f]|[\u200c\u200d]{2,}|(?<= )[\u200c\u200d]")
_TELLING = re.compile(r"\b(id|class|style|name|type|hidden|data-)", re.IGNORECASE)
_MAX_CHARACTERS = 1_000_000  # of HTML that are read; RELIABILITY T17
_MAX_QUOTES = 10  # levels that are shown
_MAX_DEPTH = 200  # open elements that are kept track of; real mail stays below 100


@dataclass(slots=True)
class _Open:
    """An element whose end matters."""

    tag: str
    mark: Mark = ""
    is_quote: bool = False
    is_hidden: bool = False
    is_tight: bool = False  # a paragraph without space round it
    line: int = 0  # lines written before it


def html_lines(html: str) -> list[Line]:
    """Return the visible lines of an HTML document or fragment."""
    html = html[:_MAX_CHARACTERS]
    writer = _Writer(hidden_classes(html))
    for tag, is_end, text in tokens(html):
        if not tag:
            writer.write(text)
        elif is_end:
            writer.end(tag)
        else:
            writer.start(tag, text)
        if len(writer.lines) > MAX_LINES:
            break
    return writer.finish()


@dataclass
class _Writer:
    hiding: frozenset[str]
    lines: list[Line] = field(default_factory=list)
    opened: list[_Open] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)  # of open elements by tag
    marks: list[Mark] = field(default_factory=list)  # of the open elements that bear one
    text: list[str] = field(default_factory=list)  # of the line that is being written
    depth: int = 0
    hidden: int = 0  # hidden elements around
    blank: bool = False  # an empty line is due before the next text
    pre: int = 0
    lists: list[int] = field(default_factory=list)  # 0 for bullets, else the next number
    link: tuple[str, int] = ("", 0)  # its target, and where its text begins

    def write(self, text: str) -> None:
        """Add text; white space collapses outside ``pre``."""
        if self.hidden:
            return
        if not self.pre:
            self.text.append(_SPACE.sub(" ", text))
            return
        first, *rest = text.replace("\r\n", "\n").split("\n")
        self.text.append(first)
        for piece in rest:
            self.end_line(forced=True)
            self.text.append(piece)

    def start(self, tag: str, written: str) -> None:
        """Start an element."""
        closing = _SELF_CLOSING.get(tag)
        if closing and self.opened and self.opened[-1].tag in closing:
            self._pop()
        if tag == "body":
            self._leave_head()
        known = (
            attributes(written)
            if written.strip(" /\r\n\t") and (tag in {"a", "img", "ol"} or _TELLING.search(written))
            else {}
        )
        element = _Open(
            tag, is_hidden=tag in _HIDING or (bool(known) and is_hidden(known, self.hiding))
        )
        if tag in _VOID:
            if not self.hidden and not element.is_hidden:
                self._void(tag, known)
            return
        if len(self.opened) >= _MAX_DEPTH:
            return
        if not self.hidden and not element.is_hidden:
            self._enter(element, known)
        self.opened.append(element)
        self.counts[tag] += 1
        self.hidden += element.is_hidden

    def _leave_head(self) -> None:
        if self.counts["head"]:
            self.end("head")

    def _void(self, tag: str, known: dict[str, str]) -> None:
        if tag == "br":
            self.end_line(forced=True)
        elif tag == "hr":
            self.end_line()
            is_divider = mark_of(tag, known) == "history"
            self.lines.append(Line("", self.depth, "history" if is_divider else "rule"))
        elif tag == "img":
            alt = _SPACE.sub(" ", known.get("alt", "")).strip()
            if alt and "automatically generated" not in alt:
                self.text.append(f"[{alt[:200]}]")

    def _enter(self, element: _Open, known: dict[str, str]) -> None:
        tag = element.tag
        if tag in _BLOCKS:
            self.end_line()
            element.is_tight = is_tight(tag, known)
            element.line = len(self.lines)
            is_spaced = tag in _SPACED and not element.is_tight
            self.blank = self.blank or (is_spaced and not (tag in _LISTS and self.lists))
        if tag in {"td", "th"} and "".join(self.text).strip():
            self.text.append("  ")
        if known or tag == "blockquote":
            element.mark = mark_of(tag, known)
            element.is_quote = is_quote(tag, known)
        if element.mark == "history":
            self.end_line()
            self.lines.append(Line("", self.depth, "history"))
        elif element.mark:
            self.end_line()
            self.marks.append(element.mark)
        if element.is_quote:
            self.end_line()
            self.depth += 1
        self._open_text(tag, known)

    def _open_text(self, tag: str, known: dict[str, str]) -> None:
        if tag in _LISTS:
            self.lists.append(_number(known.get("start", "1")) if tag == "ol" else 0)
        elif tag == "li":
            self.text.append(self._bullet())
        elif tag == "pre":
            self.pre += 1
        elif tag == "a":
            self.link = (known.get("href", "").strip(), len(self.text))

    def end(self, tag: str) -> None:
        """End an element, and those inside it that were left open; a stray end tag does nothing."""
        if tag == "br":
            self.end_line(forced=True)
            return
        if not self.counts[tag]:
            if tag in _BLOCKS:
                self.end_line()
            return
        while self._pop() != tag:
            pass

    def _pop(self) -> str:
        element = self.opened.pop()
        self.counts[element.tag] -= 1
        self.hidden -= element.is_hidden
        if not self.hidden and not element.is_hidden:
            self._leave(element)
        return element.tag

    def _leave(self, element: _Open) -> None:
        tag = element.tag
        if tag == "a":
            self._close_link()
        if tag in _BLOCKS or element.mark or element.is_quote:
            self.end_line()
            if element.is_tight and element.line == len(self.lines):
                self._empty()
            is_spaced = tag in _SPACED and not element.is_tight
            self.blank = self.blank or (is_spaced and not (tag in _LISTS and len(self.lists) > 1))
        if element.is_quote:
            self.depth -= 1
        if element.mark not in {"", "history"}:
            self.marks.pop()
        if tag in _LISTS and self.lists:
            self.lists.pop()
        if tag == "pre" and self.pre:
            self.pre -= 1

    def _bullet(self) -> str:
        indent = "  " * min(max(len(self.lists) - 1, 0), _MAX_QUOTES)
        if self.lists and self.lists[-1]:
            number = self.lists[-1]
            self.lists[-1] += 1
            return f"{indent}{number}. "
        return f"{indent}* "

    def _close_link(self) -> None:
        """Show where a link goes unless its text says so."""
        target, start = self.link
        self.link = ("", 0)
        if target.lower().startswith("mailto:") and "@" not in "".join(self.text[start:]):
            address = unquote(target[7:].split("?")[0])
            self.text.append(f" <{address}>" if "@" in address else "")
            return
        if not target.lower().startswith(("http://", "https://", "ftp://")):
            return
        shown = "".join(self.text[start:]).strip()
        if shown and _bare_url(shown) != _bare_url(target):
            self.text.append(f" <{target}>")

    def end_line(self, *, forced: bool = False) -> None:
        """Close the line that is being written; an empty one counts only after ``br``."""
        text = _INVISIBLE.sub("", "".join(self.text)).replace("\xa0", " ").rstrip()
        self.text.clear()
        self.link = (self.link[0], 0)
        if not self.pre:
            indent = len(text) - len(text.lstrip(" ")) if self.lists else 0
            text = " " * indent + re.sub(r" {3,}", "  ", text.lstrip(" "))
        if not text.strip():
            if forced:
                self._empty()
            return
        if self.blank:
            self._empty()
        self.blank = False
        self.lines.append(
            Line(text, min(self.depth, _MAX_QUOTES), self.marks[-1] if self.marks else "")
        )

    def _empty(self) -> None:
        if self.lines and self.lines[-1].text:
            self.lines.append(Line("", min(self.depth, self.lines[-1].depth)))

    def finish(self) -> list[Line]:
        """Close the last line and return all."""
        self.end_line()
        while self.lines and not self.lines[-1].text and not self.lines[-1].mark:
            self.lines.pop()
        return self.lines


def _number(start: str) -> int:
    return int(start) if start.isascii() and start.isdigit() and len(start) < 6 else 1  # noqa: PLR2004


def _bare_url(text: str) -> str:
    return re.sub(r"^(https?|ftp)://(www\.)?", "", text.strip().lower()).rstrip("/")
