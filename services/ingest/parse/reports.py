"""Machine-readable reports of RFC 6522: delivery status, disposition, feedback."""

import re
from collections.abc import Iterator

from services.ingest.parse.headers import Headers, split_headers
from services.ingest.parse.structure import Part

DELIVERY_STATUS = frozenset(
    {"message/delivery-status", "message/global-delivery-status", "text/delivery-status"}
)
_DISPOSITION = frozenset(
    {"message/disposition-notification", "message/global-disposition-notification"}
)
_FEEDBACK = frozenset({"message/feedback-report", "message/x-feedback-report"})
_RETURNED = frozenset(
    [
        "message/rfc822",
        "text/rfc822-headers",
        "message/global",
        "message/rfc822-headers",
        "message/global-headers",
        "text/rfc822-header",
        "text/rfc822",
    ]
)


_RECIPIENT_FIELD = re.compile(
    rb"^final-recipient:[ \t]*[\w-]+[ \t]*;", re.IGNORECASE | re.MULTILINE
)
_ACTION_FIELD = re.compile(rb"^action:[ \t]*[a-z]", re.IGNORECASE | re.MULTILINE)


def outer_parts(part: Part) -> Iterator[Part]:
    """Yield the parts of the mail itself, not those of mails inside it."""
    yield part
    if not part.is_message:
        for child in part.children:
            yield from outer_parts(child)


def report_kind(root: Part) -> str:
    """Return "delivery", "disposition", "feedback", or "" when the mail is no report."""
    types = {part.content_type for part in outer_parts(root)}
    declared = (
        root.params.get("report-type", "").lower()
        if root.content_type == "multipart/report"
        else ""
    )
    if types & _FEEDBACK or "feedback" in declared:
        return "feedback"
    if types & DELIVERY_STATUS or "delivery-status" in declared:
        return "delivery"
    if types & _DISPOSITION or "disposition" in declared:
        return "disposition"
    return "delivery" if root.content_type == "multipart/report" else ""


def status_blocks(root: Part) -> list[Headers]:
    """Return the groups of fields of the delivery status parts (RFC 3464, 2.1)."""
    blocks: list[Headers] = []
    for part in outer_parts(root):
        if part.content_type not in DELIVERY_STATUS and not (
            root.content_type == "multipart/report" and _holds_status(part)
        ):
            continue
        rest = part.content.lstrip(b"\r\n \t")
        while rest and len(blocks) < 1000:  # noqa: PLR2004 - recipients of one mail
            headers, end = split_headers(rest)
            blocks.append(headers)
            rest = rest[max(end, 1) :].lstrip(b"\r\n")
    return [block for block in blocks if block.fields]


def _holds_status(part: Part) -> bool:
    """Whether a text part holds the fields that some systems send under a false type."""
    if part.content_type != "text/plain":
        return False
    return (
        _RECIPIENT_FIELD.search(part.content) is not None
        and _ACTION_FIELD.search(part.content) is not None
    )


def returned_headers(root: Part) -> Headers | None:
    """Return the headers of the mail that a report is about, None when it holds none."""
    for part in outer_parts(root):
        if part.content_type in _RETURNED and part is not root:
            if part.children:
                return part.children[0].headers
            return split_headers(part.content.lstrip(b"\r\n"), is_root=True)[0]
    return None
