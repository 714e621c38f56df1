"""An agent's mail from its text to what it comes to: a story, or receipts and a draft."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from services.tickets.domain import trust
from services.tickets.domain.decide_order import decide_order
from services.tickets.domain.facts import Absence, Actor, Facts
from services.tickets.domain.order import Letter, Order, Refusal
from services.tickets.domain.story import Story
from services.tickets.domain.ticket import Ticket
from services.tickets.mail_commands import asking, grammar, lint, receipts
from services.tickets.mail_commands.arguments import Away, Reader
from services.tickets.mail_commands.drafts import Draft
from services.tickets.mail_commands.grammar import Block
from services.tickets.mail_commands.lint import Checked
from services.tickets.mail_commands.words import BY_NAME
from shared import quarantine_order
from shared.config.people import Agent
from shared.contracts import ticket as contract
from shared.contracts.mail import MailReceived
from shared.contracts.requests import AnswerMail, CommandReceipt, LineResult
from shared.contracts.sizes import INLINE_TEXT_CHARS


@dataclass(frozen=True, slots=True)
class AgentMail:
    """A mail that may act for ``agent``.

    ``draft`` is the one that it answers, if any; ``slot`` a turn in the rotation for an order that
    moves the ticket.
    """

    mail: MailReceived
    agent: Agent
    draft: Draft | None = None
    slot: int = 0


@dataclass(frozen=True, slots=True)
class Show:
    """A ticket that was asked for, as it was at that time if there is one.

    ``away``: what an agent's absence means for their tickets.
    """

    ticket_id: str
    until: datetime | None = None
    what: Literal["show", "sla", "away"] = "show"


@dataclass
class Outcome:
    """What the mail comes to. ``drafts`` are to be stored; ``shows`` still need their texts.

    ``absence`` is what the agent says of themselves.
    """

    story: Story | None = None
    requests: list[CommandReceipt | AnswerMail] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    shows: list[Show] = field(default_factory=list)
    absence: Absence | None = None


@dataclass(frozen=True, slots=True)
class _Wish:
    """The block and text that count, after a draft and its correction are put together."""

    block: Block
    kind: Literal["public", "note"]
    seen: int | None
    letter: Letter
    lines: list[Checked]
    draft: Draft | None = None
    is_confirmed: bool = False

    def asks(self, control: str) -> list[Checked]:
        return [line for line in self.lines if line.word and line.word.control == control]


def interpret(post: AgentMail, ticket: Ticket, facts: Facts) -> Outcome:
    """Say what an agent's mail to a ticket comes to: all of it is done, or nothing."""
    mail, agent = post.mail, post.agent
    block = grammar.read(mail.reply_text, BY_NAME)
    names = {BY_NAME[c.word].name for c in block.commands if c.word in BY_NAME}
    token = mail.token
    answers_draft = token is not None and token.purpose == "confirm"
    if answers_draft or names & {"send", "undo"}:
        if post.draft is None or not post.draft.is_open(facts.now):
            note = "There is no draft to send any more: it was sent, dropped or has expired."
            return Outcome(requests=[receipts.refused(mail, agent, note, state=ticket.state)])
        if "undo" in names:
            return _drop(post, ticket, facts)
        wish = _corrected(post, post.draft, block, _reader(ticket, agent, facts))
    else:
        wish = _fresh(post, ticket, block, facts)
    return _carry_out(post, ticket, wish, facts)


def interpret_at_desk(post: AgentMail, facts: Facts) -> Outcome:
    """Say what a mail to an agent's desk address comes to: there only questions are answered."""
    mail, agent = post.mail, post.agent
    block = grammar.read(mail.reply_text, BY_NAME)
    reader = Reader(Actor.of(agent), facts)
    lines = [_needs_ticket(line) for line in lint.check(block, reader)]
    if quarantine_order.order_in(mail.reply_text) is None:
        lines = [_mixed(line) for line in lines]
    if not lines or any(line.code for line in lines):
        note = "Nothing was done. This address knows: #help, #show T-1042, #away, #back."
        return Outcome(requests=[receipts.refused(mail, agent, note, lines=receipts.marked(lines))])
    return _about_oneself(post, lines, _answer(post, None, lines, ""))


def hold_expired(post: AgentMail, ticket: Ticket, story: Story, facts: Facts) -> Outcome:
    """Give a mail to an expired address back, with a fresh address to answer to."""
    block = grammar.read(post.mail.reply_text, BY_NAME)
    wish = _fresh(post, ticket, block, facts)
    refusal = Refusal("E09", "the address that you wrote to has expired; answer to this mail")
    return _hold(post, story, wish, [refusal])


def _fresh(post: AgentMail, ticket: Ticket, block: Block, facts: Facts) -> _Wish:
    token = post.mail.token
    seen = ticket.seen_seq(token.number) if token and token.purpose in ("reply", "note") else None
    return _Wish(
        block=block,
        kind="note" if token and token.purpose == "note" else "public",
        seen=seen,
        letter=_letter(post, block.text),
        lines=lint.check(block, _reader(ticket, post.agent, facts)),
    )


def _corrected(post: AgentMail, draft: Draft, block: Block, reader: Reader) -> _Wish:
    """The draft with what the answer replaces: the commands, the text, or nothing (`#send`)."""
    steering = {"send", "undo"}
    commands = tuple(
        c for c in block.commands if c.word not in BY_NAME or BY_NAME[c.word].name not in steering
    )
    is_sent = len(commands) < len(block.commands)
    kept = grammar.read("\n".join(draft.block), BY_NAME)
    text = block.text or draft.text
    merged_commands = commands or kept.commands
    again = grammar.stray_lines(draft.text, BY_NAME, merged_commands)
    stray = block.stray if block.text else again
    merged = Block(merged_commands, text, () if is_sent else stray)
    return _Wish(
        block=merged,
        kind=draft.kind,
        seen=None if is_sent else draft.seen,
        letter=_letter(post, text, draft),
        lines=lint.check(merged, reader),
        draft=draft,
        is_confirmed=is_sent and not commands and _is_confirmation(post, draft),
    )


def _is_confirmation(post: AgentMail, draft: Draft) -> bool:
    """Whether the mail goes to the address that the question was asked with."""
    token = post.mail.token
    return token is not None and token.purpose == "confirm" and "E12" in draft.codes


def _letter(post: AgentMail, text: str, draft: Draft | None = None) -> Letter:
    mail = post.mail
    return Letter(
        text=text,
        attachments=[*(draft.attachments if draft else []), *mail.attachments],
        message_id=mail.message_id,
        in_reply_to=mail.in_reply_to,
        references=mail.references,
        thread_index=mail.thread_index,
        mail_subject=mail.subject,
        inbound_id=mail.inbound_id,
        raw_blob=mail.raw_blob,
        trust=trust.line_of(mail),
    )


def _carry_out(post: AgentMail, ticket: Ticket, wish: _Wish, facts: Facts) -> Outcome:
    mail, agent = post.mail, post.agent
    story = Story(ticket, facts, str(Actor.of(agent)))
    problems = _unfit(mail, wish)
    if problems or any(line.code for line in wish.lines):
        return _hold(post, story, wish, problems)
    acts = lint.acts_of(wish.lines)
    if wish.asks("ask") and not acts and not wish.asks("self"):
        return _answer(post, ticket, wish.lines, wish.block.text)
    order = Order(
        actor=Actor.of(agent), acts=acts, letter=wish.letter, accepted_at=mail.received_at,
        kind=wish.kind, seen=wish.seen, slot=post.slot, is_confirmed=wish.is_confirmed,
    )  # fmt: skip
    decision = decide_order(ticket, order, facts)
    if wish.asks("check"):
        return _only_checked(post, ticket, wish, decision.refusals)
    if not decision.is_accepted:
        return _hold(post, story, wish, decision.refusals)
    outcome = _answer(post, decision.story.ticket, wish.lines, "")
    outcome = _about_oneself(post, wish.lines, outcome)
    outcome.story = decision.story
    if wish.draft:
        outcome.drafts.append(replace(wish.draft, state="released"))
    if agent.receipts == "all":
        marked = receipts.marked(wish.lines)
        outcome.requests.append(receipts.done(mail, agent, decision.story, marked))
    return outcome


def _unfit(mail: MailReceived, wish: _Wish) -> list[Refusal]:
    if mail.unreadable:
        return [Refusal("E14", "your mail could not be read")]
    if mail.reply_text_blob:
        return [Refusal("E02", f"the text is over {INLINE_TEXT_CHARS} characters: attach it")]
    if any(line.word and line.word.name == "quarantine" for line in wish.lines):
        return [Refusal("E02", "#quarantine goes to your desk address, not to a ticket's")]
    if not wish.block.commands and not wish.block.text:
        return [Refusal("E14", "your mail has neither a command nor a text")]
    return []


def _hold(post: AgentMail, story: Story, wish: _Wish, refusals: Sequence[Refusal]) -> Outcome:
    """Give the mail back with each line marked; its text waits as a draft."""
    mail, facts = post.mail, story.facts
    lines = receipts.marked(wish.lines, refusals)
    codes = list(dict.fromkeys(line.code for line in lines if line.code))
    number = story.ticket.drafts + 1
    story.tell(
        contract.DraftHeld,
        by=str(Actor.of(post.agent)),
        agent=post.agent.address,
        draft_number=number,
        codes=codes[:40],
    )
    draft = Draft(
        ticket_id=story.ticket.id,
        agent=post.agent.address,
        number=number,
        kind=wish.kind,
        block=tuple(command.line for command in wish.block.commands),
        text=wish.block.text,
        seen=story.ticket.seq,
        until=facts.now + timedelta(seconds=facts.desk.agent_mail.draft_kept),
        codes=tuple(codes),
        attachments=wish.letter.attachments,
    )
    drafts = [draft] + ([replace(wish.draft, state="replaced")] if wish.draft else [])
    receipt = receipts.held(mail, post.agent, story.state, draft, lines)
    return Outcome(story, [receipt], drafts)


def _drop(post: AgentMail, ticket: Ticket, facts: Facts) -> Outcome:
    story = Story(ticket, facts, str(Actor.of(post.agent)))
    lines = [LineResult(line="#undo", ok=True)]
    receipt = receipts.done(post.mail, post.agent, story, lines, "The draft was dropped.")
    drafts = [replace(post.draft, state="dropped")] if post.draft else []
    return Outcome(requests=[receipt], drafts=drafts)


def _only_checked(
    post: AgentMail, ticket: Ticket, wish: _Wish, refusals: Sequence[Refusal]
) -> Outcome:
    lines = receipts.marked(wish.lines, refusals)
    note = "Checked only: nothing was changed and nothing was sent."
    if not refusals:
        note += " All of it would be done."
    receipt = receipts.refused(post.mail, post.agent, note, state=ticket.state, lines=lines)
    return Outcome(requests=[receipt.model_copy(update={"outcome": "done"})])


def _answer(
    post: AgentMail, ticket: Ticket | None, lines: Sequence[Checked], unsent: str
) -> Outcome:
    """Answer what was asked; ``unsent`` is a text that goes nowhere and is given back."""
    outcome = Outcome()
    state = ticket.state if ticket else None
    for line in lines:
        if line.word is None or line.word.control != "ask":
            continue
        if line.word.name in ("show", "sla"):
            ticket_id, until = line.value
            named = ticket_id or (state.ticket_id if state else "")
            what: Literal["show", "sla"] = "sla" if line.word.name == "sla" else "show"
            outcome.shows.append(Show(named, until, what))
            continue
        if line.word.name == "quarantine":
            continue  # ingest does it, and answers
        text = asking.help_text(post.agent, line.value)
        if unsent:
            text += f"\n\nYour text was not sent to anybody:\n\n{_indented(unsent)}"
        outcome.requests.append(
            receipts.answer(
                post.mail,
                post.agent,
                kind="help",
                title="What you can do by mail",
                text=text,
                state=state,
            )
        )
    return outcome


def _about_oneself(post: AgentMail, lines: Sequence[Checked], outcome: Outcome) -> Outcome:
    """Add what the agent says of being away or back, which is always confirmed."""
    for line in lines:
        if line.word is None or line.word.control != "self":
            continue
        said_at = post.mail.received_at
        away = line.value or Away(said_at, said_at)
        outcome.absence = Absence(
            agent=post.agent.address,
            since=away.since,
            until=away.until,
            said_at=said_at,
            stand_in=away.stand_in,
            said_in=post.mail.inbound_id,
        )
        outcome.shows.append(Show("", what="away"))
    return outcome


def _needs_ticket(line: Checked) -> Checked:
    word = line.word
    if line.code or word is None:
        return line
    if word.control not in ("ask", "self") or (word.name in ("show", "sla") and not line.value[0]):
        return replace(line, code="E02", message="needs a ticket: answer one of its mails")
    return line


def _mixed(line: Checked) -> Checked:
    """Ingest does what is ordered of the quarantine, and knows no other command."""
    if line.code or line.word is None or line.word.name != "quarantine":
        return line
    return replace(line, code="E07", message="stands alone in its mail")


def _reader(ticket: Ticket, agent: Agent, facts: Facts) -> Reader:
    agents = {a: s for a, s in ticket.last_wrote.items() if a.startswith("agent:")}
    last = max(agents, key=lambda author: agents[author], default="").removeprefix("agent:")
    return Reader(Actor.of(agent), facts, last)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
