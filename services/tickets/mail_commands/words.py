"""All words of the command language: one entry each is all that a new word needs.

The order here is the order in which the words of one mail take effect.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from services.tickets.domain import changes, followers
from services.tickets.domain.order import Act, Change, Phase, Refusal, Work
from services.tickets.domain.permissions import is_allowed
from services.tickets.mail_commands import arguments, copying
from services.tickets.mail_commands.arguments import Parse
from services.tickets.mail_commands.grammar import fold
from shared import quarantine_order
from shared.config.people import Role


@dataclass(frozen=True, slots=True)
class Word:
    """One word. Words of the same ``group`` contradict each other; ``says`` is its line of help.

    ``control``: it steers the mail itself, asks, or is about who writes (``self``), and changes
    no ticket. ``repeats``: it may stand on several lines of one mail.
    """

    name: str
    says: str
    takes: Parse = arguments.nothing
    change: Change | None = None
    aliases: tuple[str, ...] = ()
    phase: Phase = "before"
    group: str = ""
    role: Role = "agent"
    usage: str = ""
    is_about_state: bool = False
    repeats: bool = False
    control: Literal["", "ask", "draft", "check", "self"] = ""

    def act(self, value: Any, line: int = -1) -> Act:
        """The thing to do in an order."""
        change = self.change or _nothing
        return Act(self.name, value, change, self.phase, line, self.is_about_state)


def _nothing(_: Work, __: Any) -> Refusal | None:
    return None


def _go(status: Any) -> Change:
    def change(work: Work, _: Any) -> Refusal | None:
        return changes.go(work, status)

    return change


WORDS: tuple[Word, ...] = (
    Word("check", "say what would happen, and do nothing", control="check",
         aliases=("dry", "lint")),
    Word("note", "the text is an internal note, for these people", arguments.people,
         changes.internal, ("internal", "private"), "frame", "kind", usage="[person ...]"),
    Word("reply", "the text goes to the customer", change=changes.public, aliases=("public",),
         phase="frame", group="kind"),
    Word("summary", "the ticket's summary; with #resolve the customer gets it", arguments.anything,
         changes.summarise, phase="frame", usage="[text]"),
    Word("survey", "ask for a rating with this resolution, or not", arguments.on_or_off,
         changes.ask_survey, ("csat",), "frame", usage="on|off"),
    Word("unlock", "give up the lock", change=changes.unlock),
    Word("take", "assign it to me and lock it", change=changes.take,
         aliases=("mine", "claim", "accept"), group="owner"),
    Word("assign", "give it to an agent; none gives it back", arguments.person, changes.assign,
         ("assignee", "owner"), group="owner", usage="person"),
    Word("release", "give it back to the team", change=changes.release,
         aliases=("unassign", "noowner"), group="owner"),
    Word("team", "move it to a team", arguments.team, changes.move, ("group", "queue", "move"),
         usage="team"),
    Word("priority", "set the priority", arguments.priority, changes.set_field,
         ("severity", "prio"), usage="name"),
    Word("category", "set the category", arguments.category, changes.set_field, usage="name"),
    Word("subject", "change the subject", arguments.subject, changes.set_field,
         ("title", "retitle"), usage="text"),
    Word("estimate", "when it will probably be solved; none takes it back", arguments.estimate,
         changes.estimate, ("due", "target"), usage="when|none"),
    Word("cc", "in copy of this and later answers; - takes out, = are all",
         copying.copies(is_blind=False), followers.follow, usage=copying.USAGE, repeats=True),
    Word("bcc", "the same, unseen by the customer and others in copy",
         copying.copies(is_blind=True), followers.follow, usage=copying.USAGE, repeats=True),
    Word("comment", "add an internal note beside the text", arguments.text, changes.comment,
         ("remark",), "after", usage="text"),
    Word("open", "status open", change=_go("open"), phase="after", group="status",
         is_about_state=True),
    Word("pending", "wait for the customer; the clocks stand still", change=_go("pending"),
         phase="after", group="status", is_about_state=True),
    Word("hold", "wait for a third party", change=_go("on-hold"), aliases=("stalled",),
         phase="after", group="status", is_about_state=True),
    Word("snooze", "let it rest until then; it comes back by itself", arguments.future,
         changes.snooze, ("delay", "defer", "until", "remind"), "after", "status",
         usage="when", is_about_state=True),
    Word("status", "any status by its name", arguments.status, changes.set_status, (), "after",
         "status", usage="name", is_about_state=True),
    Word("reopen", "open it again", change=changes.reopen, phase="after", group="status"),
    Word("resolve", "it is solved; an answer of the customer reopens it", change=changes.resolve,
         aliases=("solve", "solved", "solves", "resolved", "resolves"), phase="after",
         group="status", is_about_state=True),
    Word("close", "close for good", change=changes.close, aliases=("closed", "closes", "done"),
         phase="after", group="status", is_about_state=True),
    Word("escalate", "call in the manager or a team", arguments.escalation, changes.escalate, (),
         "after", usage='[team] ["reason"]'),
    Word("bar", "take no more mail of the customer, an address or a domain, or only 5 an hour "
         "(5/h) or a day (5/d); to be confirmed",
         arguments.limited_sender, changes.bar, ("ban",), "after", "bar", "lead",
         usage="[address or domain] [5/h] [20/d]"),
    Word("unbar", "take it again", arguments.sender, changes.unbar, ("admit",), "after", "bar",
         "lead", usage="[address or domain]"),
    Word("lift", "a dead address gets mail again; alone: the customer's", arguments.address,
         changes.lift, role="lead", usage="[address]"),
    Word("send", "release my held draft as it is, or confirm it", control="draft",
         aliases=("confirm",)),
    Word("undo", "drop my held draft", control="draft"),
    Word("away", "I am away until then; a colleague gets my tickets", arguments.away,
         control="self", aliases=("vacation",), group="absence",
         usage="[from when] until when [to person]"),
    Word("back", "I am back from being away", control="self", group="absence"),
    Word("show", "get the ticket with its history", arguments.ticket_at, control="ask",
         usage="[ticket] [at when]"),
    Word("sla", "get the due times explained step by step", arguments.ticket_at, control="ask",
         usage="[ticket] [at when]"),
    Word("quarantine", "mail that could not be read; alone, at your desk address",
         arguments.quarantine, control="ask", role="admin", usage=quarantine_order.USAGE),
    Word("help", "get this list, or what one word does", arguments.anything, control="ask",
         aliases=("?",), usage="[word]"),
)  # fmt: skip

BY_NAME: dict[str, Word] = {fold(n): word for word in WORDS for n in (word.name, *word.aliases)}
"""Every way to write a word, folded."""

_RANK = {word.name: rank for rank, word in enumerate(WORDS)}


def in_effect_order(acts: Iterable[Act]) -> tuple[Act, ...]:
    """The acts of one mail in the order in which they take effect, whatever line they are on."""
    return tuple(sorted(acts, key=lambda act: _RANK[act.name]))


def allowed_to(role: Role) -> list[Word]:
    """The words that somebody of this role may use."""
    return [word for word in WORDS if is_allowed(role, word.role)]
