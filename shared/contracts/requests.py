"""``mail-requests``: mails that tell of no ticket event: receipts, answers, reports."""

from typing import Literal

from pydantic import AwareDatetime, Field

from shared.contracts.base import (
    Address,
    Attachment,
    Blob,
    Contract,
    Event,
    Language,
    MessageId,
    TicketId,
)


class _MailRequest(Event):
    version: Literal[1] = 1
    request_id: str = Field(max_length=200)
    to: Address
    language: Language = "en"


class LineResult(Contract):
    """One line of an agent's command block and what became of it."""

    line: str = Field(max_length=300)
    ok: bool
    code: str = Field(default="", max_length=4)  # E01 …
    message: str = Field(default="", max_length=500)


class CommandReceipt(_MailRequest):
    """The answer to an agent's mail: what was done, or that nothing was and why.

    ``held``: nothing ran and nothing was sent; ``draft`` is the agent's text, kept until
    ``draft_until``. ``reply_purpose`` and ``argument`` say what an answer to the receipt means.
    """

    type: Literal["mail-request.receipt"] = "mail-request.receipt"
    ticket_id: TicketId | None = None
    ticket_version: int = 0
    subject: str = Field(default="", max_length=500)
    in_reply_to: MessageId = ""
    outcome: Literal["done", "held", "refused"]
    lines: list[LineResult] = Field(default_factory=list, max_length=40)
    note: str = Field(default="", max_length=2000)
    draft: str = Field(default="", max_length=12_000)
    draft_until: AwareDatetime | None = None
    draft_number: int = 0


class AnswerMail(_MailRequest):
    """The answer to an asking command (``#help``, ``#show`` …), or to a customer's question."""

    type: Literal["mail-request.answer"] = "mail-request.answer"
    ticket_id: TicketId | None = None
    ticket_version: int = 0
    subject: str = Field(default="", max_length=500)
    in_reply_to: MessageId = ""
    title: str = Field(max_length=300)
    text: str = Field(max_length=40_000)  # plain text, lines kept


class ReportMail(_MailRequest):
    """A finished report with its files."""

    type: Literal["mail-request.report"] = "mail-request.report"
    subject: str = Field(max_length=300)
    text: str = Field(max_length=30_000)
    html_blob: Blob
    attachments: list[Attachment] = Field(default_factory=list, max_length=20)


RECORDS = (CommandReceipt, AnswerMail, ReportMail)
