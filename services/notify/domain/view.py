"""What notify remembers of a ticket: enough to write any mail about it without asking anybody."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from shared.contracts.ticket import (
    FollowersChanged,
    MailHeld,
    MessageAdded,
    MessageReread,
    SurveyAnswered,
    TicketEvent,
    TicketReopened,
)
from shared.contracts.ticket_state import Message, TicketState
from shared.copies import change_said
from shared.variants import but

KEPT_MESSAGES = 30
KEPT_LINES = 60
KEPT_TEXT_CHARS = 4_000
KEPT_IDS = 10


@dataclass(frozen=True)
class Entry:
    """A message of the conversation and the ticket's seq when it came."""

    seq: int
    message: Message


@dataclass(frozen=True)
class Line:
    """One line of the timeline; ``data`` are the words that a phrase needs."""

    seq: int
    at: datetime
    type: str
    by: str
    data: dict[str, str]


@dataclass(frozen=True)
class Thread:
    """The ids that one address has seen in this ticket, oldest first, and its own last mail."""

    ids: tuple[str, ...] = ()
    own_id: str = ""
    thread_index: str = ""

    def with_ids(self, ids: Iterable[str]) -> Self:
        """The same with more ids at the end."""
        return but(self, ids=tuple(dict.fromkeys([*self.ids, *filter(None, ids)]))[-KEPT_IDS:])


@dataclass(frozen=True)
class TicketView:
    """A ticket as of ``state.seq``; ``subject`` is the first one and never changes.

    ``told`` are the agents who had a notice planned, ``acknowledged`` the senders who had theirs.
    """

    subject: str
    state: TicketState
    entries: tuple[Entry, ...] = ()
    lines: tuple[Line, ...] = ()
    threads: dict[str, Thread] = field(default_factory=dict)
    told: frozenset[str] = frozenset()
    acknowledged: frozenset[str] = frozenset()
    left_out: int = 0

    @property
    def ticket_id(self) -> str:
        """The ticket's id."""
        return self.state.ticket_id

    def thread(self, address: str) -> Thread:
        """What this address has seen."""
        return self.threads.get(address.lower(), Thread())

    def with_thread(self, address: str, thread: Thread) -> "TicketView":
        """The same with another thread for the address."""
        return but(self, threads={**self.threads, address.lower(): thread})


def evolve(view: TicketView | None, event: TicketEvent) -> TicketView:
    """The view after the event; events at or before the view's seq change nothing."""
    if view and event.seq <= view.state.seq:
        return view
    subject = view.subject if view else event.state.subject
    before = view or TicketView(subject=subject, state=event.state)
    after = but(before, state=event.state, lines=(*before.lines, _line(event))[-KEPT_LINES:])
    if isinstance(event, MessageAdded | MailHeld):
        return _with_message(after, event.seq, event.message)
    if isinstance(event, MessageReread):
        again = [
            Entry(event.seq, _shortened(event.message))
            if entry.message.number == event.message.number
            else entry
            for entry in after.entries
        ]
        return but(after, entries=tuple(again))
    return after


def was_reopened_since(view: TicketView, seq: int) -> bool:
    """Whether the timeline shows a reopening at or after ``seq``."""
    return any(line.type == _REOPENED and line.seq >= seq for line in view.lines)


_REOPENED = TicketReopened.model_fields["type"].default


def _with_message(view: TicketView, seq: int, message: Message) -> TicketView:
    kept = (*view.entries, Entry(seq, _shortened(message)))
    view = but(
        view,
        entries=kept[-KEPT_MESSAGES:],
        left_out=view.left_out + max(0, len(kept) - KEPT_MESSAGES),
    )
    # A held mail is somebody else's until it is proved: it must not shape the threads.
    if not message.from_addr or message.unverified:
        return view
    thread = view.thread(message.from_addr)
    own = but(
        thread.with_ids([*message.references, message.in_reply_to, message.message_id]),
        own_id=message.message_id or thread.own_id,
        thread_index=message.thread_index or thread.thread_index,
    )
    return view.with_thread(message.from_addr, own)


def _shortened(message: Message) -> Message:
    """The new words, not the quotes, and not without end."""
    words = (message.reply_text or message.text)[:KEPT_TEXT_CHARS]
    return message.model_copy(update={"text": "", "reply_text": words, "references": []})


_WORDS = (
    *("assignee", "previous", "team", "status", "field", "value", "reason", "locked_by", "target"),
    *("until", "answered_at", "because", "sender"),
    *("due_at", "outcome", "recipient", "detail", "dead", "other", "relation", "agent"),
)


def _line(event: TicketEvent) -> Line:
    given = type(event).model_fields
    data = {name: str(getattr(event, name) or "") for name in _WORDS if name in given}
    if isinstance(event, MessageAdded | MailHeld | MessageReread):
        message = event.message
        data |= {"kind": message.kind, "direction": message.direction, "from": message.from_addr}
    if isinstance(event, FollowersChanged):
        data["copies"] = change_said(event.added, event.blind, event.removed)
    if isinstance(event, SurveyAnswered):
        data["score"] = str(event.survey.score)
    return Line(seq=event.seq, at=event.at, type=event.type, by=event.by, data=data)


def to_document(view: TicketView) -> dict[str, Any]:
    """As MongoDB keeps it; addresses are values, never keys."""
    return {
        "_id": view.ticket_id,
        "version": 1,
        "seq": view.state.seq,
        "account_id": view.state.account_id,
        "requester": view.state.requester,
        "subject": view.subject,
        "state": view.state.model_dump(),
        "entries": [{"seq": e.seq, "message": e.message.model_dump()} for e in view.entries],
        "lines": [vars(line) for line in view.lines],
        "threads": [
            {"address": address, **vars(thread), "ids": list(thread.ids)}
            for address, thread in view.threads.items()
        ],
        "told": sorted(view.told),
        "acknowledged": sorted(view.acknowledged),
        "left_out": view.left_out,
    }


def from_document(document: dict[str, Any]) -> TicketView:
    """The view that `to_document` was given."""
    return TicketView(
        subject=document["subject"],
        state=TicketState.model_validate(document["state"]),
        entries=tuple(
            Entry(e["seq"], Message.model_validate(e["message"])) for e in document["entries"]
        ),
        lines=tuple(Line(**line) for line in document["lines"]),
        threads={
            t["address"]: Thread(tuple(t["ids"]), t["own_id"], t["thread_index"])
            for t in document["threads"]
        },
        told=frozenset(document["told"]),
        acknowledged=frozenset(document["acknowledged"]),
        left_out=document["left_out"],
    )
