"""The mail that tells an agent of events: what it says, in the order in which it is read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.notify.domain.customers import Customer, customer_lines
from services.notify.domain.view import Entry, Line, TicketView, was_reopened_since
from services.notify.domain.wire import cleaned
from services.notify.domain.words import Reader, clock_words, shown, size, timeline_line
from shared.business_time.standing import colour, latest
from shared.contracts.base import Attachment
from shared.contracts.sla import Clock
from shared.contracts.ticket_state import Message
from shared.copies import addresses_in

REASONS = (
    "sla-breach",
    "escalated",
    "breach-withdrawn",
    "held",
    "delivery-failed",
    "customer-answered",
    "reread",
    "assigned",
    "mentioned",
    "reopened",
    "returned",
    "note",
    "sla-warning",
)
"""Most urgent first: a mail for several events is filed under the first of them."""

TIMELINE_LINES = 15
_TAG = re.compile(r"\+[^@]*@")
HISTORY_MESSAGES = 12


@dataclass(frozen=True)
class Cause:
    """One event that the mail tells of."""

    reason: str
    seq: int


@dataclass(frozen=True)
class Notice:
    """What the templates of a notice are given, but for links."""

    agent: str
    view: TicketView
    causes: Sequence[Cause]
    seen_seq: int  # what earlier notices to this agent have shown
    customer: Customer
    reader: Reader
    now: datetime
    left_out: frozenset[str] = frozenset()  # blobs of files that are not in the mail

    @property
    def reason(self) -> str:
        """The one reason that the mail is filed under."""
        return min((c.reason for c in self.causes), key=_urgency)

    def values(self, text_chars: int) -> dict[str, Any]:
        """Template values with at most about that many characters of conversation."""
        news, history = self._split()
        news_shown, rest = self._messages(news, text_chars)
        history_shown, _ = self._messages(history[-HISTORY_MESSAGES:], rest)
        hidden = len(history) - len(history_shown) + self.view.left_out
        hidden += sum(m["is_cut"] for m in history_shown)
        return {
            "leads": [self._lead(c) for c in sorted(self.causes, key=_by_urgency)],
            "heading": self._heading(),
            "facts": self._facts(),
            "news": news_shown,
            "history": history_shown,
            "history_left_out": hidden,
            "customer": customer_lines(self.customer),
            "timeline": [
                timeline_line(line, self.reader)
                for line in self.view.lines[-TIMELINE_LINES:]
                if line.type != "ticket.clocks-updated"
            ],
            "because": self.reader.phrases["because"][self.reason],
        }

    def new_entries(self) -> list[Entry]:
        """Messages that this agent has not been shown and did not write."""
        return self._split()[0]

    def _split(self) -> tuple[list[Entry], list[Entry]]:
        own = f"agent:{self.agent}"
        news = [e for e in self.view.entries if e.seq > self.seen_seq and e.message.author != own]
        return news, [e for e in self.view.entries if e not in news]

    def _messages(
        self, entries: Sequence[Entry], text_chars: int
    ) -> tuple[list[dict[str, Any]], int]:
        """Newest first gets the room; shown in their order."""
        found: list[dict[str, Any]] = []
        for entry in reversed(entries):
            if text_chars <= 0:
                break
            text = shown(entry.message.reply_text)
            cut = len(text) > text_chars
            found.insert(0, self._message(entry, text[:text_chars] + (" […]" if cut else ""), cut))
            text_chars -= len(text)
        return found, text_chars

    def _message(self, entry: Entry, text: str, cut: bool) -> dict[str, Any]:  # noqa: FBT001 - private
        message = entry.message
        kinds = self.reader.phrases["messages"]
        kind = kinds.get(message.kind) or kinds[f"{message.kind}-{message.direction}"]
        doubtful = message.unverified
        mark = "UNVERIFIED " if doubtful else ""
        who = self._who(message.from_name, message.from_addr, message.author)
        return {
            "title": " · ".join(
                [f"{mark}{kind.upper()} {message.number}", who, self.reader.when(message.at)]
            ),
            "trust": cleaned(message.trust),
            "strangers": ", ".join(map(cleaned, self._strangers(message))),
            "files": ", ".join(map(self._file, message.attachments)),
            "text": text,
            "is_note": message.kind == "note",
            "is_doubtful": doubtful,
            "is_cut": cut,
        }

    def _strangers(self, message: Message) -> list[str]:
        """Who had a copy of somebody's mail and gets none of our answers."""
        if message.direction == "out" or not message.cc:
            return []
        state = self.view.state
        known = {state.requester, message.from_addr, *state.followers, *state.blind_followers}
        # A signed address of the mailbox is the mailbox.
        named = {address: _TAG.sub("@", address) for address in addresses_in(message.cc)}
        return [a for a, bare in named.items() if a not in known and bare != state.mailbox]

    def _heading(self) -> str:
        subject = cleaned(self.view.state.subject)
        return f"{self.view.ticket_id} · {subject or self.reader.phrases['no-subject']}"

    def _file(self, attachment: Attachment) -> str:
        missing = ", not sent on" if attachment.blob in self.left_out else ""
        return f"{cleaned(attachment.name)} ({size(attachment.size_bytes)}{missing})"

    def _who(self, name: str, address: str, actor: str) -> str:
        """Name and address: a display name alone may claim to be anybody."""
        if not address:
            return self.reader.person(actor)
        name, address = cleaned(name), cleaned(address)
        return f"{name} <{address}>" if name and name != address else address

    def _lead(self, cause: Cause) -> str:
        leads = self.reader.phrases["leads"]
        line = next((x for x in self.view.lines if x.seq == cause.seq), None)
        reason = cause.reason
        if reason == "customer-answered" and was_reopened_since(self.view, cause.seq):
            reason = "customer-reopened"
        if reason == "delivery-failed" and line and line.data.get("dead"):
            reason = "address-dead"
        if line and line.data.get("because"):
            reason = f"{reason}-because"
        return str(leads[reason]).format_map(self._lead_words(line))

    def _lead_words(self, line: Line | None) -> dict[str, str]:
        data = line.data if line else {}

        def time_of(name: str) -> str:
            told = data.get(name, "")
            return self.reader.when(datetime.fromisoformat(told)) if told else ""

        return {
            "ticket": self.view.ticket_id,
            "who": self.reader.person(data.get("from") or (line.by if line else "system:")),
            "target": self.reader.phrases["targets"].get(data.get("target", ""), ""),
            "due": time_of("due_at"),
            "until": time_of("until"),
            "answered": time_of("answered_at"),
            "because": cleaned(data.get("because", "")),
            "why": cleaned(data.get("reason", "")),
            "recipient": cleaned(data.get("recipient", "")),
            "detail": cleaned(data.get("detail", "")),
        }

    def _facts(self) -> list[dict[str, str]]:
        state, words = self.view.state, self.reader.phrases
        copies = (("in-copy", state.followers), ("blind-copy", state.blind_followers))
        rows = {
            "Customer": self._who(state.requester_name, state.requester, ""),
            **{str(words[kind]): ", ".join(map(cleaned, who)) for kind, who in copies if who},
            "Status": state.status,
            "Priority": state.priority,
            "Assignee": self._person_or_nobody(state.assignee),
            "Locked by": self._lock(),
            "Opened": f"{self.reader.when(state.opened_at)} ({self.reader.zone.key})",
        }
        facts = [{"name": name, "value": value, "colour": ""} for name, value in rows.items()]
        facts += [
            {"name": _title(one.field), "value": cleaned(one.value), "colour": ""}
            for one in state.fields
        ]
        dates = {"Estimate": state.estimate_at, "Rests until": state.delayed_until}
        for name, at in dates.items():
            if at:
                facts.append({"name": name, "value": self.reader.when(at), "colour": ""})
        facts += [self._clock_fact(clock) for clock in latest(state.clocks)]
        if not state.clocks:
            none = str(words["clocks"]["none"])
            facts.append({"name": "Target", "value": none, "colour": ""})
        return facts

    def _lock(self) -> str:
        """Who has the lock and until when: the mail may be read long after it was written."""
        state, phrase = self.view.state, str(self.reader.phrases["locked-until"])
        holder = state.holder_at(self.now)
        who = self._person_or_nobody(holder)
        if holder is None or state.locked_until is None:
            return who
        return phrase.format(who=who, until=self.reader.when(state.locked_until))

    def _clock_fact(self, clock: Clock) -> dict[str, str]:
        value = clock_words(clock, self.reader, self.now)
        mark, space, rest = value.partition(" ")
        name = str(self.reader.phrases["targets"][clock.target]).capitalize()
        tone = colour(clock, self.now)
        return {"name": name, "value": value, "colour": tone, "mark": mark, "rest": space + rest}

    def _person_or_nobody(self, address: str | None) -> str:
        if not address:
            return str(self.reader.phrases["nobody"])
        if address == self.agent:
            return str(self.reader.phrases["you"])
        return self.reader.person(address)


def _title(field: str) -> str:
    """A field's name for people: ``Serial number``."""
    return field.replace("-", " ").capitalize()


def _urgency(reason: str) -> int:
    return REASONS.index(reason)


def _by_urgency(cause: Cause) -> tuple[int, int]:
    return _urgency(cause.reason), cause.seq
