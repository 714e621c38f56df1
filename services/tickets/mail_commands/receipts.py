"""The answers to an agent's mail: each line marked, the text given back if nothing was done."""

from collections.abc import Sequence
from typing import Any

from services.tickets.domain.order import Refusal
from services.tickets.domain.story import Story
from services.tickets.mail_commands.drafts import Draft
from services.tickets.mail_commands.lint import Checked
from shared.config.people import Agent
from shared.contracts.mail import MailReceived
from shared.contracts.requests import AnswerMail, CommandReceipt, LineResult
from shared.contracts.ticket_state import TicketState

MAX_LINES = 40
DRAFT_BYTES = 12_000
ANSWER_BYTES = 40_000
"""Both keep a record under 64 KiB whatever the script; the whole draft stays stored."""
TEXT_LINE = "(your text)"
ONLY_CONFIRM = frozenset({"E08", "E12", "E13"})
"""What `#send` or `#confirm` answers; all else needs a correction."""


def cut(text: str, max_bytes: int) -> str:
    """As much of the text as fits into so many bytes of UTF-8."""
    return text.encode()[:max_bytes].decode("utf-8", "ignore")


def marked(lines: Sequence[Checked], refusals: Sequence[Refusal] = ()) -> list[LineResult]:
    """Each line with its verdict, those about the text last."""
    by_line = {refusal.line: refusal for refusal in refusals if refusal.line >= 0}
    results = []
    for number, line in enumerate(lines):
        refusal = by_line.get(number)
        code = refusal.code if refusal else line.code
        message = refusal.message if refusal else line.message
        results.append(LineResult(line=line.line, ok=not code, code=code, message=message[:500]))
    about_text = [
        LineResult(line=TEXT_LINE, ok=False, code=refusal.code, message=refusal.message)
        for refusal in refusals
        if refusal.line < 0
    ]
    return (results + about_text)[:MAX_LINES]


def held(
    mail: MailReceived, agent: Agent, state: TicketState, draft: Draft, lines: list[LineResult]
) -> CommandReceipt:
    """Nothing ran and nothing was sent; an answer with corrected lines or a new text goes on.

    The note says only what the receipt's own form does not.
    """
    may_confirm = bool(draft.codes) and set(draft.codes) <= ONLY_CONFIRM
    word = "#confirm to have it done" if "E12" in draft.codes else "#send to let it go as it is"
    note = f"Answer with {word}." if may_confirm else ""
    return CommandReceipt(
        **_about(mail, agent, state),
        request_id=f"{mail.inbound_id}.receipt",
        outcome="held",
        lines=lines,
        note=note,
        draft=cut(draft.text, DRAFT_BYTES),
        draft_until=draft.until,
        draft_number=draft.number,
    )


def refused(
    mail: MailReceived,
    agent: Agent,
    note: str,
    *,
    state: TicketState | None = None,
    lines: Sequence[LineResult] = (),
) -> CommandReceipt:
    """Nothing was done and nothing is kept; ``note`` says why."""
    return CommandReceipt(
        **_about(mail, agent, state),
        request_id=f"{mail.inbound_id}.receipt",
        outcome="refused",
        lines=list(lines),
        note=note[:2000],
        draft=cut(mail.reply_text, DRAFT_BYTES),
    )


def done(
    mail: MailReceived, agent: Agent, story: Story, lines: list[LineResult], note: str = ""
) -> CommandReceipt:
    """All of it was done; the note names the events."""
    state = story.state
    ids = ", ".join(f"{event.ticket_id}.{event.seq}" for event in story.events)
    return CommandReceipt(
        **_about(mail, agent, state),
        request_id=f"{mail.inbound_id}.receipt",
        outcome="done",
        lines=lines,
        note=(note or (f"Done: {ids}" if ids else "All of it was so already."))[:2000],
    )


def answer(
    mail: MailReceived,
    agent: Agent,
    *,
    kind: str,
    title: str,
    text: str,
    state: TicketState | None = None,
) -> AnswerMail:
    """What an asking word gets; ``kind`` keeps the answers to one mail apart."""
    return AnswerMail(
        **_about(mail, agent, state),
        request_id=f"{mail.inbound_id}.{kind}",
        title=title[:300],
        text=cut(text, ANSWER_BYTES),
    )


def _about(mail: MailReceived, agent: Agent, state: TicketState | None) -> dict[str, Any]:
    """To whom an answer goes, and of which mail and ticket it is."""
    return {
        "to": agent.address,
        "language": agent.language,
        "ticket_id": state.ticket_id if state else None,
        "ticket_version": state.seq if state else 0,
        "subject": (state.subject if state else mail.subject)[:500],
        "in_reply_to": mail.message_id,
    }
