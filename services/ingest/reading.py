"""What a child found out about a mail, as it travels to the parent; loads no parser."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Reading:
    """Fields of a `MailReceived` and the contents that belong to them.

    ``blobs`` names what each of ``contents`` is: ``text``, ``reply_text``, ``html``, or ``file``
    for the attachments in their order. ``wants_raw``: the original must go along.
    """

    fields: dict[str, Any]
    blobs: list[str] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    wants_raw: bool = False
