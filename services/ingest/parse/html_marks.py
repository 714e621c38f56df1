"""What mail programs mark in HTML: history, attribution, signature, quotes, hidden text."""

import re
from typing import Literal

Mark = Literal["", "history", "attribution", "signature", "rule"]

_HISTORY_IDS = re.compile(
    r"^(x_)*(divRplyFwdMsg|appendonsend|mail-editor-reference-message-container|OLK_SRC_BODY_SECTION"
    r"|ms-outlook-mobile-body-separator-line|isReplyContent|isForwardContent|reply-?separator"
    r"|zwchr|yahoo_quoted_\d+|qm_quote|mail-app-auto-quote|original-content)$",
    re.IGNORECASE,
)
_HISTORY_CLASSES = frozenset({
    "outlookmessageheader", "yahoo_quoted", "zmail_extra",
    "ms-outlook-mobile-reference-message", "protonmail_quote", "tutanota_quote",
    "moz-forward-container", "missive_quote", "alimail-quote", "bloop_original_html",
    "mail_quote_history",
})  # fmt: skip
_ATTRIBUTION = frozenset({"gmail_attr", "moz-cite-prefix"})
_SIGNATURE_CLASSES = frozenset({
    "gmail_signature", "gmail_signature_prefix", "moz-signature", "k9mail-signature",
    "x_gmail_signature", "protonmail_signature_block", "ms-outlook-mobile-signature",
})  # fmt: skip
_SIGNATURE_IDS = re.compile(r"^(x_)*(Signature|AppleMailSignature|ms-outlook-mobile-signature)$")
_OUTLOOK_LINE = re.compile(
    r"border:\s*none;\s*border-top:\s*solid\s+(#[0-9a-f]{6}|windowtext)\s+1(\.0)?pt"
    r"|border-top:\s*(solid\s+)?#?(E1E1E1|B5C4DF)\s+1(\.0)?pt(\s+solid)?",
    re.IGNORECASE,
)
_HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all"
    r"|font-size\s*:\s*0(px|pt|em)?\s*(;|!|$)"
    r"|opacity\s*:\s*0(\.0+)?\s*(;|!|$)|max-height\s*:\s*0(px)?\s*(;|!|$)",
    re.IGNORECASE,
)
_NO_MARGIN = re.compile(
    r"margin(-top|-bottom)?:\s*0(px|pt|cm|in|em)?\s*[;!\"']|margin(-top|-bottom)?:\s*0(px|pt|cm|in|em)?\s*$|margin:\s*0\S*\s+0",
    re.IGNORECASE,
)
_GMAIL_INDENT = re.compile(
    r"margin:\s*0(px)?\s+0(px)?\s+0(px)?\s+40px;\s*border:\s*none", re.IGNORECASE
)
_STYLE_BLOCK = re.compile(r"<style[^<>]{0,200}>([^<]*(?:<!--[^<]*)?)", re.IGNORECASE)
_AT_RULE = re.compile(r"@[^{}]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")
_RULE = re.compile(r"([^{}]*)\{([^{}]*)\}")
_DISPLAY_NONE = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_STYLE_CHARACTERS = 100_000  # of a document are searched for style sheets


def mark_of(tag: str, attributes: dict[str, str]) -> Mark:
    """Say what the element begins, by the marks of the mail programs that write it."""
    identity = attributes.get("id", "")
    classes = attributes.get("class", "").lower().split()
    if (identity and _HISTORY_IDS.match(identity)) or any(c in _HISTORY_CLASSES for c in classes):
        return "history"
    if (
        attributes.get("data-marker") == "__DIVIDER__"
        or attributes.get("name") == "messageReplySection"
    ):
        return "history"
    if tag == "div" and _OUTLOOK_LINE.search(attributes.get("style", "")):
        return "history"
    if any(c in _ATTRIBUTION for c in classes) or identity == "reply-intro":
        return "attribution"
    return "signature" if _is_signature(attributes, identity, classes) else ""


def _is_signature(attributes: dict[str, str], identity: str, classes: list[str]) -> bool:
    return (
        any(c in _SIGNATURE_CLASSES for c in classes)
        or bool(identity and _SIGNATURE_IDS.match(identity))
        or attributes.get("data-smartmail") == "gmail_signature"
        or attributes.get("name") == "messageSignatureSection"
        or attributes.get("data-marker", "").startswith("__SIG_")
    )


def is_quote(tag: str, attributes: dict[str, str]) -> bool:
    """Whether the element is a quotation, not an indent made with the same tag."""
    if tag == "blockquote":
        if attributes.get("type") == "cite" or "quote" in attributes.get("class", ""):
            return True
        return not _GMAIL_INDENT.search(attributes.get("style", ""))
    return tag == "div" and attributes.get("name") == "quote"


def is_tight(tag: str, attributes: dict[str, str]) -> bool:
    """Whether a paragraph is written without space round it, as Outlook does."""
    if tag != "p":
        return False
    return attributes.get("class", "").startswith(("Mso", "x_Mso", "xmso")) or (
        _NO_MARGIN.search(attributes.get("style", "")) is not None
    )


def is_hidden(attributes: dict[str, str], classes: frozenset[str]) -> bool:
    """Whether a person does not see the element."""
    if "hidden" in attributes or attributes.get("type") == "hidden":
        return True
    if classes and any(c in classes for c in attributes.get("class", "").split()):
        return True
    style = attributes.get("style")
    return bool(style and _HIDDEN_STYLE.search(style))


def hidden_classes(html: str) -> frozenset[str]:
    """Return the classes that the style sheet hides on every screen."""
    head = html[:_STYLE_CHARACTERS]
    if not _DISPLAY_NONE.search(head):
        return frozenset()
    found: set[str] = set()
    for block in _STYLE_BLOCK.findall(head):
        for selectors, rules in _RULE.findall(_AT_RULE.sub("", block)):
            if _DISPLAY_NONE.search(rules):
                found.update(
                    s.strip()[1:]
                    for s in selectors.split(",")
                    if re.fullmatch(r"\s*\.[\w-]+\s*", s)
                )
    return frozenset(found)
