"""Templates to texts: plain text is the product, HTML says the same words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

TEMPLATES = Path(__file__).parent / "templates"
FALLBACK = "en"
HTML_OCTETS = 60_000
"""Gmail cuts at about 102 KB; this leaves room for what relays add."""

_QUIET = "opacity:.7"  # of the client's own text colour, so it is right on light and dark
_BOX = "margin:0 0 16px;padding:8px 12px;border:1px solid #8a8a8a;border-radius:6px"
_CHIP = "padding:0 6px;border-radius:4px;font-weight:bold;color:#ffffff;background-color"
CSS = {
    "body": "margin:0;padding:0;font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,"
    "sans-serif;font-size:16px;line-height:1.5",
    "preheader": "display:none;max-height:0;overflow:hidden;mso-hide:all",
    "cell": "overflow-wrap:anywhere;word-break:break-word",
    "h1": "margin:0 0 12px;font-size:20px;line-height:1.3",
    "h2": "margin:24px 0 8px;font-size:14px;letter-spacing:.06em",
    "ask": "margin:24px 0 8px;font-size:16px",
    "h3": "margin:0 0 4px;font-size:14px",
    "p": "margin:0 0 12px",
    "row": "margin:0 0 4px;font-size:14px",
    "lead": "margin:0 0 8px;font-weight:bold",
    "small": f"margin:0 0 8px;font-size:13px;{_QUIET}",
    "name": f"padding:0 12px 2px 0;font-size:14px;white-space:nowrap;{_QUIET}",
    "value": "padding:0 0 2px;font-size:14px",
    "mark": "padding:0 8px 2px 0;font-weight:bold",
    "fixed": "font-family:ui-monospace,Menlo,Consolas,monospace;font-size:13px",
    "message": _BOX,
    "note": f"{_BOX};border-left:6px solid #b8860b",
    "warning": f"{_BOX};border-left:6px solid #c62828",
    "green": f"{_CHIP}:#1b7f3b",
    "amber": f"{_CHIP}:#9a5b00",
    "red": f"{_CHIP}:#c62828",
    "button": "display:inline-block;margin:0 6px 8px 0;padding:8px 12px;border-radius:6px;"
    "background-color:#2f6fdf;color:#ffffff;text-decoration:none",
}


_STYLES = {name: Markup(style) for name, style in CSS.items()}  # noqa: S704 - constants


@dataclass(frozen=True)
class Texts:
    """The two forms of one mail."""

    text: str
    html: str


class Renderer:
    """Renders by kind and language; English stands in for a language that is not there."""

    def __init__(self, templates: Path = TEMPLATES) -> None:
        self._templates = templates
        self._environments: dict[str, Environment] = {}
        self._phrases: dict[str, dict[str, Any]] = {}

    def phrases(self, language: str) -> Mapping[str, Any]:
        """The short phrases of a language."""
        known = self._known(language)
        if known not in self._phrases:
            path = self._templates / known / "words.json"
            self._phrases[known] = json.loads(path.read_text(encoding="utf-8"))
        return self._phrases[known]

    def render(self, kind: str, language: str, values: Mapping[str, Any]) -> Texts:
        """Both forms of a mail; ``values`` must have ``title`` and ``preheader``."""
        known = self._known(language)
        environment = self._environment(known)
        right_to_left = known in self.phrases(known)["languages-right-to-left"]
        given = {
            "css": _STYLES,
            "language": known,
            "direction": "rtl" if right_to_left else "ltr",
            **values,
        }
        text = environment.get_template(f"{kind}.txt").render(given)
        html = environment.get_template(f"{kind}.html").render(given)
        return Texts(_tidy(text), html)

    def _environment(self, language: str) -> Environment:
        if language not in self._environments:
            environment = Environment(
                loader=FileSystemLoader([self._templates / language, self._templates / FALLBACK]),
                autoescape=_is_html,  # noqa: S701 - jinja's select_autoescape, without its loops
                undefined=StrictUndefined,
                trim_blocks=True,
                lstrip_blocks=True,
                auto_reload=False,
            )
            environment.filters["lines"] = _lines
            environment.globals.clear()  # no template uses them, and each mail would copy them
            self._environments[language] = environment
        return self._environments[language]

    def _known(self, language: str) -> str:
        return _nearest(self._templates, language.partition("-")[0].lower())


@cache
def _nearest(templates: Path, language: str) -> str:
    fits = language.isalpha() and (templates / language / "words.json").exists()
    return language if fits else FALLBACK


def _is_html(template: str | None) -> bool:
    return template is not None and template.endswith(".html")


def _lines(text: str) -> Markup:
    """Line breaks and columns kept without CSS that some clients do not know."""
    lines = []
    for line in str(escape(text)).split("\n"):
        bare = line.lstrip(" ")
        indent = "&nbsp;" * (len(line) - len(bare))
        lines.append(indent + bare.replace("  ", "&nbsp; "))
    return Markup("<br>\n".join(lines))  # noqa: S704 - escaped above


def _tidy(text: str) -> str:
    """At most one empty line in a row, one line end at the end."""
    kept: list[str] = []
    for line in text.split("\n"):
        whole = line if line == "-- " else line.rstrip()
        if whole or (kept and kept[-1]):
            kept.append(whole)
    return "\n".join(kept).strip("\n") + "\n"
