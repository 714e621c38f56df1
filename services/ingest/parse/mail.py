"""What parsing yields: one frozen ``Mail`` and its attachments. No rule lives here."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from services.ingest.parse.spam import SpamField

BounceKind = Literal["", "failed", "delayed"]
Importance = Literal["high", "normal", "low"]
Wrapper = Literal["", "smime-encrypted", "smime-signed", "pgp-encrypted", "pgp-signed"]


@dataclass(frozen=True, slots=True)
class Attachment:
    """One part that is not the shown text: a file, an inline image, an attached mail."""

    name: str | None  # as the sender meant it, without a path; None when the part has none
    content_type: str  # lower case, without parameters
    content_id: str  # without angle brackets, "" when the part has none
    is_inline: bool  # shown inside the HTML, or marked so (RFC 2183)
    payload: bytes = field(repr=False)  # transfer-decoded


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as the desk understands it; every field has a value, however broken the mail."""

    # What the report shows.
    subject: str = ""
    from_addr: str = ""
    from_name: str = ""
    to_addrs: list[str] = field(default_factory=list)
    message_id: str = ""
    in_reply_to: str = ""
    text: str = ""
    reply_text: str = ""
    attachments: list[Attachment] = field(default_factory=list)
    autoreply: bool = False
    bounce: bool = False
    automated: bool = False
    bounce_recipients: list[str] = field(default_factory=list)
    forwarded: bool = False
    forwarded_from: str = ""
    forwarded_subject: str = ""

    # What the services need beyond it.
    from_count: int = 0  # mailboxes of all From headers, unclear ones twice; 1 is honest
    reply_to: list[str] = field(default_factory=list)  # bare addresses
    reply_to_name: str = ""  # of the first of them
    reply_to_count: int = 0  # as from_count
    spam_fields: list[SpamField] = field(default_factory=list)
    hop_count: int = 0  # Received fields
    cc_addrs: list[str] = field(default_factory=list)  # bare addresses
    references: list[str] = field(default_factory=list)  # ids without angle brackets, in order
    date: datetime | None = None  # aware
    html: str = ""  # sanitised; cid: images kept, remote content off
    original_html: str = field(default="", repr=False)  # as sent, never to be shown
    importance: Importance = "normal"
    auto_submitted: str = ""  # keyword of RFC 3834, 5, lower case
    thread_index: str = ""  # base64 as sent (MS-OXOMSG 2.2.1.3)
    thread_topic: str = ""
    bounced_message_id: str = ""  # of the mail that bounced, without angle brackets
    bounce_status: str = ""  # enhanced code, RFC 3463
    bounce_kind: BounceKind = ""
    bounce_diagnostic: str = ""  # words of the server that refused
    forwarded_date: str = ""  # as written in the forward block
    forwarded_note: str = ""  # the forwarder's own words above it
    wrapper: Wrapper = ""
    authentication_results: list[str] = field(default_factory=list)  # unfolded, topmost first
    headers: dict[str, str] = field(default_factory=dict)  # first value of a few, lower-case names
    defect: str = ""  # why only the raw headers could be read, "" when all went well

    def as_report(self) -> dict[str, object]:
        """Return the public report: these keys, always all of them."""
        return {
            "subject": self.subject,
            "from_addr": self.from_addr,
            "from_name": self.from_name,
            "to_addrs": list(self.to_addrs),
            "message_id": self.message_id,
            "in_reply_to": self.in_reply_to,
            "text": self.text,
            "reply_text": self.reply_text,
            "attachments": [a.name for a in self.attachments],
            "autoreply": self.autoreply,
            "bounce": self.bounce,
            "automated": self.automated,
            "bounce_recipients": list(self.bounce_recipients),
            "forwarded": self.forwarded,
            "forwarded_from": self.forwarded_from,
            "forwarded_subject": self.forwarded_subject,
        }
