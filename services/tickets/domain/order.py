"""An order: what an agent's mail or a system's command asks for, all of it at once or nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from services.tickets.domain.built import built
from services.tickets.domain.facts import Actor, Facts
from services.tickets.domain.story import Story
from shared.contracts.base import Attachment
from shared.contracts.ticket_state import Message


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something of an order is not done; ``line`` is the command's, -1 the text's."""

    code: str
    message: str
    line: int = -1


@dataclass(frozen=True, slots=True)
class Letter:
    """The text that comes with the commands, and the mail it came in.

    ``mail_text`` is the whole mail as it was written; ``text`` the words that are meant.
    """

    text: str = ""
    attachments: list[Attachment] = field(default_factory=list)
    message_id: str = ""
    in_reply_to: str = ""
    references: list[str] = field(default_factory=list)
    thread_index: str = ""
    mail_subject: str = ""
    inbound_id: str = ""
    raw_blob: str | None = None
    html_blob: str | None = None
    trust: str = ""


@dataclass
class Work:
    """An order while it is carried out; words that only shape the others set its fields."""

    story: Story
    order: "Order"
    text: str
    kind: Literal["public", "note"]
    summary: str | None = None
    is_survey_wanted: bool | None = None
    mentioned: list[str] = field(default_factory=list)

    @property
    def actor(self) -> Actor:
        """Who acts."""
        return self.order.actor

    @property
    def facts(self) -> Facts:
        """Time and configuration."""
        return self.story.facts

    def asks_for(self, *names: str) -> bool:
        """Whether one of these words is in the order."""
        return any(act.name in names for act in self.order.acts)


Change = Callable[[Work, Any], Refusal | None]
Phase = Literal["frame", "before", "after"]
"""``frame`` shapes text and resolution; ``before`` and ``after`` are as seen from the text."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing to do: ``change`` tells the story or refuses.

    ``is_about_state``: it must not be done by somebody who has not seen the latest message.
    """

    name: str
    value: Any
    change: Change
    phase: Phase = "before"
    line: int = -1
    is_about_state: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """Acts and text that belong together.

    ``is_confirmed``: the actor was asked whether they mean it, and does.
    ``seen`` is the event that the actor knew of (None: not asked), ``slot`` a turn in a rotation
    for an order that moves the ticket to a team.
    """

    actor: Actor
    acts: tuple[Act, ...]
    letter: Letter
    accepted_at: datetime
    kind: Literal["public", "note"] = "public"
    seen: int | None = None
    slot: int = 0
    is_confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What an order comes to: the story, or why there is none."""

    story: Story
    refusals: list[Refusal] = field(default_factory=list)

    @property
    def is_accepted(self) -> bool:
        """Whether all of it is done."""
        return not self.refusals


def outgoing(work: Work, *, kind: Literal["public", "note"], text: str) -> Message:
    """The entry that the order adds to the conversation."""
    letter, actor, state = work.order.letter, work.actor, work.story.state
    public = kind == "public"
    return built(
        Message,
        number=state.messages + 1,
        kind=kind,
        direction="out",
        author=str(actor),
        from_addr=actor.id if actor.kind == "agent" else "",
        from_name=actor.name,
        to=[state.requester] if public else [],
        cc=state.followers if public else [],
        text=text,
        reply_text=text,
        attachments=letter.attachments,
        html_blob=letter.html_blob,
        raw_blob=letter.raw_blob,
        message_id=letter.message_id,
        in_reply_to=letter.in_reply_to,
        references=letter.references,
        thread_index=letter.thread_index,
        mail_subject=letter.mail_subject,
        inbound_id=letter.inbound_id,
        trust=letter.trust[:300],
        at=work.facts.now,
        accepted_at=work.order.accepted_at,
    )
