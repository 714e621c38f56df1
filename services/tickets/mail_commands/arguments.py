"""Reads what follows a word: each function gives the value, or the problem with its code."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_args

from services.tickets.domain.facts import Actor, Facts
from services.tickets.domain.permissions import name_of
from services.tickets.mail_commands import grammar, when
from shared import quarantine_order
from shared.config.models import Desk
from shared.config.people import Agent
from shared.config.values import mail_address, sender_name
from shared.contracts.ticket_state import MOST_MENTIONED, Status
from shared.senders import MOST_PER_DAY, MOST_PER_HOUR, Limit, said

TICKET = re.compile(r"(?:t-)?([1-9]\d{0,11})", re.IGNORECASE)
_AWAY = re.compile(
    r"(?:from\s+(?P<since>.+?)\s+)?until\s+(?P<until>.+?)(?:\s+to\s+(?P<who>\S.*))?", re.IGNORECASE
)
_PACE = re.compile(r"(\d{1,9})/(h|d)", re.IGNORECASE)
STATUS_WORDS = {"hold": "on-hold", "stalled": "on-hold", "solved": "resolved", "done": "closed"}


@dataclass(frozen=True, slots=True)
class Value:
    """An argument understood; ``said`` is how a receipt repeats it."""

    value: Any = None
    said: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an argument is not understood."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Reader:
    """Who writes, where: ``last`` is the agent who wrote last, for the person of that name."""

    actor: Actor
    facts: Facts
    last: str = ""

    @property
    def desk(self) -> Desk:
        """The configuration."""
        return self.facts.desk


Parse = Callable[[str, Reader], Value | Problem]


def nothing(arguments: str, _: Reader) -> Value | Problem:
    """No value."""
    return Problem("E02", "takes no value") if arguments else Value()


def anything(arguments: str, _: Reader) -> Value | Problem:
    """Text to the end of the line, or none."""
    return Value(grammar.unquoted(arguments))


def text(arguments: str, reader: Reader) -> Value | Problem:
    """Text to the end of the line."""
    return anything(arguments, reader) if arguments else Problem("E02", "needs a text")


def quarantine(arguments: str, _: Reader) -> Value | Problem:
    """An order about mail in quarantine."""
    found = quarantine_order.read(arguments)
    return Problem("E03", f"write {quarantine_order.USAGE}") if found is None else Value(found)


def on_or_off(arguments: str, _: Reader) -> Value | Problem:
    """``on`` or ``off``."""
    wanted = {"on": True, "yes": True, "off": False, "no": False}.get(arguments.lower())
    return Problem("E03", "write on or off") if wanted is None else Value(wanted)


def ticket_at(arguments: str, reader: Reader) -> Value | Problem:
    """``T-1042``, ``1042`` or nothing, and perhaps ``at`` a time: (ticket, time)."""
    name, _, moment = f" {arguments} ".partition(" at ")
    found = TICKET.fullmatch(name.strip())
    if name.strip() and not found:
        return Problem("E03", "write a ticket as T-1042")
    ticket_id = f"T-{found[1]}" if found else ""
    if not moment.strip():
        return Value((ticket_id, None))
    try:
        until = when.read(moment, reader.facts.now, reader.desk.zone(reader.actor.id))
    except when.AmbiguousDateError as error:
        return Problem("E06", str(error))
    return Value((ticket_id, until), f"{until:%a %Y-%m-%d %H:%M %Z}")


def future(arguments: str, reader: Reader) -> Value | Problem:
    """A point in time that is still to come."""
    if not arguments.strip():
        return Problem("E02", "needs a time: 2026-12-31, 3d, mon or tomorrow 09:00")
    try:
        at = when.read(arguments, reader.facts.now, reader.desk.zone(reader.actor.id))
    except when.AmbiguousDateError as error:
        return Problem("E06", str(error))
    if at <= reader.facts.now:
        return Problem("E06", f"{at:%a %Y-%m-%d %H:%M %Z} has passed")
    return Value(at.astimezone(UTC), f"{at:%a %Y-%m-%d %H:%M %Z}")


@dataclass(frozen=True, slots=True)
class Away:
    """What `#away` says: from and until when, and who gets the tickets ("" for the team)."""

    since: datetime
    until: datetime
    stand_in: str = ""


def away(arguments: str, reader: Reader) -> Value | Problem:
    """``[from when] until when [to person]``: an `Away`."""
    found = _AWAY.fullmatch(grammar.unquoted(arguments))
    if not found:
        return Problem("E02", "write it as: until fri 17:00, perhaps with a from before it")
    until = future(found["until"], reader)
    since = future(found["since"], reader) if found["since"] else Value(reader.facts.now)
    who = _person(found["who"], reader) if found["who"] else Value("")
    for one in (until, since, who):
        if isinstance(one, Problem):
            return one
    return _away_between(since, until, who, reader)  # type: ignore[arg-type] # problems are out


def _away_between(since: Value, until: Value, who: Value, reader: Reader) -> Value | Problem:
    if since.value >= until.value:
        return Problem("E07", f"until {until.said} is before from {since.said}")
    if who.value is None or who.value == reader.actor.id:
        return Problem("E03", "name a colleague, or leave it out: then the team takes over")
    begins = f"from {since.said} " if since.said else ""
    named = f" to {who.said}" if who.said else ""
    said = f"{begins}until {until.said}{named}"
    return Value(Away(since.value, until.value, who.value), said)


def estimate(arguments: str, reader: Reader) -> Value | Problem:
    """A point in time to come, or none."""
    if arguments.strip().lower() == "none":
        return Value(None, "none")
    return future(arguments, reader)


def status(arguments: str, _: Reader) -> Value | Problem:
    """The name of a status."""
    allowed = [name for name in get_args(Status) if name != "new"]
    word = arguments.lower()
    return _one_of(STATUS_WORDS.get(word, word), allowed, "status")


def priority(arguments: str, reader: Reader) -> Value | Problem:
    """The name of a priority."""
    found = _one_of(arguments, reader.desk.priorities, "priority")
    return Value(("priority", found.value), found.said) if isinstance(found, Value) else found


def category(arguments: str, reader: Reader) -> Value | Problem:
    """The name of a category; any where none is configured."""
    name = grammar.unquoted(arguments)
    if not name:
        return Problem("E02", "needs a category")
    if not reader.desk.categories:
        return Value(("category", name[:100]))
    found = _one_of(name, reader.desk.categories, "category")
    return Value(("category", found.value), found.said) if isinstance(found, Value) else found


def subject(arguments: str, reader: Reader) -> Value | Problem:
    """A new subject."""
    found = text(arguments, reader)
    return Value(("subject", found.value)) if isinstance(found, Value) else found


def sender(arguments: str, _: Reader) -> Value | Problem:
    """A mail address or a domain in lower case; empty for the requester."""
    name = grammar.unquoted(arguments).removeprefix("@")
    if not name:
        return Value("")
    try:
        found = sender_name(name)
    except ValueError:
        return Problem("E03", f"{name} is neither a mail address nor a domain"[:500])
    return Value(found, said(found))


def address(arguments: str, _: Reader) -> Value | Problem:
    """A mail address in lower case; empty for the requester's."""
    name = grammar.unquoted(arguments)
    try:
        return Value(mail_address(name) if name else "")
    except ValueError:
        return Problem("E03", f"{name} is no mail address"[:500])


def limited_sender(arguments: str, reader: Reader) -> Value | Problem:
    """A sender and perhaps ``5/h``, ``20/d`` or both: a `Limit`, without numbers none at all."""
    given = grammar.values(arguments)
    paces = [found for value in given if (found := _PACE.fullmatch(value))]
    who = sender(" ".join(value for value in given if not _PACE.fullmatch(value)), reader)
    if isinstance(who, Problem):
        return who
    most = {pace[2].lower(): int(pace[1]) for pace in paces}
    limit = Limit(who.value, most.get("h", 0), most.get("d", 0))
    if 0 in most.values() or limit.per_hour > MOST_PER_HOUR or limit.per_day > MOST_PER_DAY:
        return Problem("E03", f"a limit is 1 to {MOST_PER_HOUR}/h, or 1 to {MOST_PER_DAY}/d")
    return Value(limit, ", ".join(filter(None, (who.said, limit.said))))


def team(arguments: str, reader: Reader) -> Value | Problem:
    """A team by name, title or a beginning that only one has."""
    wanted = grammar.unquoted(arguments).casefold()
    if not wanted:
        return Problem("E02", "needs a team")
    teams = reader.desk.teams
    exact = [t for t in teams if wanted in (t.name.casefold(), t.title.casefold())]
    found = exact or [t for t in teams if t.name.casefold().startswith(wanted)]
    if len(found) == 1:
        return Value(found[0].name, found[0].title or found[0].name)
    names = ", ".join(t.name for t in found or teams)
    if found:
        return Problem("E04", f"several teams match: {names}")
    return Problem("E03", f"unknown team; known: {names}")


def person(arguments: str, reader: Reader) -> Value | Problem:
    """An agent: me, none, last, an address, a handle, or a beginning that only one name has."""
    found = grammar.values(arguments)
    if len(found) != 1:
        return Problem("E02", "needs one person" if not found else "one person only")
    return _person(found[0], reader)


def people(arguments: str, reader: Reader) -> Value | Problem:
    """Up to `MOST_MENTIONED` agents, each once; none is fine."""
    found = [_person(value, reader) for value in grammar.values(arguments)]
    for one in found:
        if isinstance(one, Problem):
            return one
    known = {one.value: one.said for one in found if isinstance(one, Value) and one.value}
    if len(known) > MOST_MENTIONED:
        return Problem("E02", f"at most {MOST_MENTIONED} people")
    return Value(list(known), ", ".join(known.values()))


def escalation(arguments: str, reader: Reader) -> Value | Problem:
    """An optional team or level and an optional reason: (team, reason)."""
    given = grammar.values(arguments)
    if given and (given[0].isdigit() or not isinstance(team(given[0], reader), Problem)):
        named = team(given[0], reader)
        reason = " ".join(given[1:])
        return Value((named.value if isinstance(named, Value) else "", reason))
    return Value(("", " ".join(given)))


def _one_of(given: str, allowed: list[str], kind: str) -> Value | Problem:
    if not given:
        return Problem("E02", f"needs a {kind}: {', '.join(allowed)}")
    found = next((name for name in allowed if name.casefold() == given.casefold()), None)
    return Value(found) if found else Problem("E03", f"unknown {kind}; known: {', '.join(allowed)}")


def _person(given: str, reader: Reader) -> Value | Problem:
    wanted = given.casefold().removeprefix("@")
    special = {"none": None, "nobody": None, "last": reader.last or None}
    if reader.actor.kind == "agent":  # a system is nobody who could have a ticket or be told
        special["me"] = reader.actor.id
    if wanted in special:
        who = special[wanted]
        return Value(who, name_of(who, reader.desk) if who else "nobody")
    agents = reader.desk.agents
    exact = [a for a in agents if wanted in (a.address, a.short.casefold(), a.name.casefold())]
    found = exact or [a for a in agents if _begins(a, wanted)]
    if len(found) == 1:
        return Value(found[0].address, name_of(found[0].address, reader.desk))
    names = ", ".join(f"{a.short} ({a.name})" for a in found or agents)
    if found:
        return Problem("E04", f"several people match: {names}")
    return Problem("E03", f"nobody is called {given}; known: {names}"[:500])


def _begins(agent: Agent, wanted: str) -> bool:
    names = [agent.short, *agent.name.split()]
    return any(name.casefold().startswith(wanted) for name in names)
