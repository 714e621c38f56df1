"""Which of the configured rules fit a new ticket, and what they decide; pure."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import regex

from shared.config.models import Desk
from shared.config.routing import DAYS, Action, Condition, Hours, Rule

PATTERN_S = 0.05
"""A regular expression may look at a mail for so long; then its rule does not fit."""


@dataclass(frozen=True, slots=True)
class Question:
    """What rules look at. ``segments`` has ``vip`` for an account that is marked so.

    ``priority`` is the one that the requester may and does ask for: it stands for the mailbox's.
    """

    mailbox: str
    department: str
    subject: str
    text: str
    language: str
    sender: str
    now: datetime
    account_id: str = ""
    segments: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    source: str = "mail"
    priority: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """What was decided; ``fired`` names the rules, each with why it fits.

    ``assign`` is an address, a role in the team (senior, lead, manager), or empty: the rotation.
    """

    team: str
    priority: str
    category: str = ""
    assign: str = ""
    skill: str = ""
    tags: tuple[str, ...] = ()
    sla_policy: str = ""
    fired: tuple[tuple[str, str], ...] = field(default=())

    @property
    def rules(self) -> list[str]:
        """Names of the rules that decided."""
        return [name for name, _ in self.fired]


def route(question: Question, desk: Desk) -> Route:
    """Apply the rules; what none decides comes from the mailbox."""
    box = desk.mailboxes_by_address.get(question.mailbox, desk.mailboxes[0])
    decided = Route(team=box.team, priority=question.priority or box.priority)
    for rule, reasons in judged(question, desk.routing.rules):
        if reasons is None:
            continue
        decided = _applied(decided, rule.name, rule.then, "; ".join(reasons) or "always")
        if desk.routing.match == "first":
            break
    return decided


def judged(question: Question, rules: Iterable[Rule]) -> Iterator[tuple[Rule, list[str] | None]]:
    """Each rule with the reasons why it fits; None where it does not."""
    for rule in rules:
        reasons = list(_reasons(rule.when, question))
        yield rule, None if None in reasons else [reason for reason in reasons if reason]


def _applied(before: Route, name: str, then: Action, reason: str) -> Route:
    return Route(
        team=then.team or before.team,
        priority=then.priority or before.priority,
        category=then.category or before.category,
        assign=then.assign or before.assign,
        skill=then.skill or before.skill,
        tags=tuple(dict.fromkeys((*before.tags, *then.tags))),
        sla_policy=then.sla_policy or before.sla_policy,
        fired=(*before.fired, (name, reason)),
    )


def _reasons(when: Condition, asked: Question) -> Iterator[str | None]:
    """For each condition why it holds, or None; the cheap ones come first."""
    yield from _one_of("mailbox", when.mailboxes, [asked.mailbox])
    yield from _one_of("department", when.departments, [asked.department])
    yield from _one_of("language", when.languages, [asked.language, asked.language[:2]])
    yield from _one_of("segment", when.segments, asked.segments)
    yield from _one_of("account", when.accounts, [asked.account_id])
    yield from _one_of("source", when.sources, [asked.source])
    yield from _one_of("sender's domain", when.domains, _domains(asked.sender))
    if when.attachments:
        yield _attachment(when.attachments, asked.files)
    if when.during:
        yield f"at {asked.now:%H:%M} UTC" if is_within(when.during, asked.now) else None
    if when.subject:
        yield _phrase("subject", when.subject, asked.subject)
    if when.words:
        yield _phrase("words", when.words, f"{asked.subject}\n{asked.text}")
    if when.pattern:
        yield _pattern(when.pattern, f"{asked.subject}\n{asked.text}")


def _one_of(what: str, wanted: list[str], given: Iterable[str]) -> Iterator[str | None]:
    if wanted:
        known = {one.casefold(): one for one in wanted}
        yield next((f"{what} {known[g.casefold()]}" for g in given if g.casefold() in known), None)


def _domains(address: str) -> list[str]:
    labels = address.rpartition("@")[2].split(".")
    return [".".join(labels[i:]) for i in range(len(labels))]


def _attachment(endings: list[str], files: Iterable[str]) -> str | None:
    for name in files:
        if "*" in endings or name.casefold().endswith(tuple(e.casefold() for e in endings)):
            return f"attachment {name}"
    return None


def _phrase(what: str, phrases: list[str], text: str) -> str | None:
    folded = fold(text)
    return next((f"{what} {p!r}" for p in phrases if _is_said(p, folded)), None)


def _is_said(phrase: str, folded: str) -> bool:
    first, finder = _finder(phrase)
    # An expression that begins with a condition is tried at each character; most phrases of
    # most rules are not there, and a search for plain text sees that in a fiftieth of the time.
    return first in folded and finder.search(folded) is not None


@lru_cache(maxsize=10_000)
def _finder(phrase: str) -> tuple[str, re.Pattern[str]]:
    """The first word, and what finds all of them as words of their own."""
    words = fold(phrase).split()
    joined = r"\s+".join(re.escape(word) for word in words)
    return "".join(words[:1]), re.compile(rf"(?<!\w){joined}(?!\w)")


def _pattern(pattern: str, text: str) -> str | None:
    try:
        found = regex.search(pattern, text, flags=regex.IGNORECASE, timeout=PATTERN_S)
    except TimeoutError:
        return None
    return f"pattern finds {found[0][:60]!r}" if found else None


def fold(text: str) -> str:
    """Without case and accents: what people type in a hurry."""
    text = text.casefold()
    if text.isascii():  # most is, and has no accents to look for
        return text
    parts = unicodedata.normalize("NFKD", text)
    return "".join(part for part in parts if not unicodedata.combining(part))


def is_within(hours: Hours, now: datetime) -> bool:
    """Whether the instant lies in them."""
    local = now.astimezone(ZoneInfo(hours.timezone))
    start, end = (time.fromisoformat(one) for one in hours.between)
    at = local.time()
    if start < end:
        return start <= at < end and _is_on(hours, local)
    if at >= start:
        return _is_on(hours, local)
    return at < end and _is_on(hours, local - timedelta(days=1))


def _is_on(hours: Hours, local: datetime) -> bool:
    return DAYS[local.weekday()] in hours.days
