"""The texts that answer `#help` and `#show`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from services.tickets.domain.permissions import name_of
from services.tickets.domain.trust import own_mailbox
from services.tickets.mail_commands.explaining import standing
from services.tickets.mail_commands.grammar import fold
from services.tickets.mail_commands.words import BY_NAME, Word, allowed_to
from shared.business_time.named import NamedCalendars
from shared.business_time.standing import latest
from shared.config.models import Desk
from shared.config.people import Agent
from shared.contracts.ticket import (
    DeliveryNoted,
    FollowersChanged,
    LockChanged,
    TicketAssigned,
    TicketEvent,
)
from shared.contracts.ticket_state import Message, TicketState
from shared.copies import addresses_in, change_said

_HOW = (
    "Put commands at the top of your answer, one on a line; then, if you like, your text.\n"
    "Text goes where the mail that you answer says. Nothing is done unless every line is right."
)


@dataclass(frozen=True, slots=True)
class History:
    """What was said and what happened, in order."""

    messages: Sequence[Message]
    events: Sequence[TicketEvent]

    def until(self, moment: datetime) -> "History":
        """The part of it up to that time."""
        return History(
            [message for message in self.messages if message.at <= moment],
            [event for event in self.events if event.at <= moment],
        )


def help_text(agent: Agent, wanted: str = "") -> str:
    """What this agent may do; with ``wanted`` one word alone. Never a command at a line's start."""
    words = allowed_to(agent.role)
    one = BY_NAME.get(fold(wanted.lstrip("#"))) if wanted else None
    if one in words:
        words = [one]
    width = max(len(_form(word)) for word in words)
    lines = [f"  {_form(word):<{width}}  {_meaning(word)}" for word in words]
    return "\n".join([_HOW, "", *lines]) if one is None else "\n".join(lines)


def show_text(
    state: TicketState, history: History, reader: Agent, desk: Desk, now: datetime
) -> str:
    """The ticket with conversation and timeline as of ``now``, times in the reader's zone."""
    zone = ZoneInfo(reader.timezone)
    parts = [_head(state, zone, desk, now), "Conversation"]
    parts += [_entry(one, zone, desk) for one in history.messages if one.kind != "system"]
    timeline = [f"  {_at(event.at, zone)}  {_what(event)}  {event.by}" for event in history.events]
    return "\n\n".join([*parts, "\n".join(["Timeline", *timeline])])


def _what(event: TicketEvent) -> str:
    if isinstance(event, TicketAssigned | LockChanged) and event.because:
        return f"{event.type} ({event.because})"
    if isinstance(event, FollowersChanged):
        return f"{event.type} ({change_said(event.added, event.blind, event.removed)})"
    if not isinstance(event, DeliveryNoted):
        return event.type
    dead = ", the address is dead" if event.dead else ""
    return f"{event.type} ({event.recipient} {event.outcome}{dead})"


def _form(word: Word) -> str:
    return f"#{word.name} {word.usage}".rstrip()


def _meaning(word: Word) -> str:
    others = [f"#{alias}" for alias in word.aliases]
    return f"{word.says} (also {', '.join(others)})" if others else word.says


def _head(state: TicketState, zone: ZoneInfo, desk: Desk, now: datetime) -> str:
    unknown = " (unknown contact)" if state.unknown_contact else ""
    rows = {
        "Ticket": f"{state.ticket_id}  {state.subject}",
        "Status": f"{state.status}, priority {state.priority}",
        "Customer": f"{state.requester_name} <{state.requester}>{unknown}",
        "In copy": ", ".join(state.followers),
        "Blind cc": ", ".join(state.blind_followers),
        "Account": state.account_id,
        "Team": state.team,
        "Assignee": name_of(state.assignee, desk) if state.assignee else "nobody",
        "Locked by": _lock(state, zone, desk, now),
        "Category": state.category,
        "Summary": state.summary,
        "Opened": _at(state.opened_at, zone),
        "Estimate": _at(state.estimate_at, zone) if state.estimate_at else "",
        "Rests till": _at(state.delayed_until, zone) if state.delayed_until else "",
    }
    asked = [(one.field.capitalize(), one.value) for one in state.fields]
    told = [*rows.items(), *asked]
    lines = [f"{name + ':':<10} {value}" for name, value in told if value]
    calendars = NamedCalendars(desk.calendars)
    lines += [
        f"{'SLA:':<11}{clock.target} {standing(clock, now, zone, calendars)}"
        for clock in latest(state.clocks)
    ]
    return "\n".join(lines)


def _lock(state: TicketState, zone: ZoneInfo, desk: Desk, now: datetime) -> str:
    """Who has the lock now, and when it ends by itself; empty if nobody has it."""
    holder = state.holder_at(now)
    if holder is None:
        return ""
    end = f", until {_at(state.locked_until, zone)}" if state.locked_until else ""
    return name_of(holder, desk) + end


def _entry(message: Message, zone: ZoneInfo, desk: Desk) -> str:
    kind = "note" if message.kind == "note" else "mail"
    doubt = ", UNVERIFIED" if message.unverified else ""
    files = ", ".join(file.name for file in message.attachments)
    # Our own addresses may be signed ones: they are nobody's business.
    copies = ", ".join(a for a in addresses_in(message.cc) if not own_mailbox(a, desk))
    # A space before each line keeps a quoted command from ever being one.
    text = "\n".join(f"  {line}" for line in (message.reply_text or message.text).splitlines())
    who = message.from_name or message.from_addr or message.author
    head = f"  {message.number}. {kind} of {who}, {_at(message.at, zone)}{doubt}"
    copied = f"  Copy to: {copies}" if copies else ""
    return "\n".join(filter(None, [head, copied, text, f"  Files: {files}" if files else ""]))


def _at(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}"
