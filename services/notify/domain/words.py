"""Times, durations, clocks and timeline lines in words, for one reader."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.notify.domain.view import Line
from services.notify.domain.wire import cleaned
from shared.business_time.named import NamedCalendars
from shared.business_time.standing import colour, left
from shared.contracts.sla import Clock

_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u200e\u200f\u202a-\u202e\u2066-\u2069"
_COMMAND_LIKE = re.compile(rf"^(?=[{_INVISIBLE}]*[#＃/@])", re.MULTILINE)
_SPARE_BREAKS = re.compile(r"\n{3,}")
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


@dataclass(frozen=True)
class Reader:
    """Whose words: the phrases of a language, the zone, and how people are called.

    ``calendars`` are the desk's: the time left is counted when the mail is written.
    """

    phrases: Mapping[str, Any]
    zone: ZoneInfo
    name_of: Callable[[str], str]
    calendars: NamedCalendars = field(default_factory=lambda: NamedCalendars({}))

    def when(self, at: datetime) -> str:
        """``Sun 22 Nov 2026 16:31``, in the reader's zone, without naming it."""
        return at.astimezone(self.zone).strftime("%a %d %b %Y %H:%M")

    def person(self, actor: str) -> str:
        """The name of ``agent:…``, ``customer:…``, ``system:…`` or an address."""
        kind, _, rest = actor.partition(":")
        if kind == "system":
            return str(self.phrases["the-desk"])
        return self.name_of(rest if kind in {"agent", "customer"} else actor)


def clock_words(clock: Clock, reader: Reader, now: datetime) -> str:
    """What is left of a target, in the clock's own time as of ``now``, and when it is due."""
    phrases = reader.phrases["clocks"]
    rest = int(left(clock, now, reader.calendars).total_seconds())
    if clock.state != "running" or clock.due_at is None:
        key = "missed" if clock.state == "missed" else clock.state
        return str(phrases.get(key, phrases["none"])).format(left=duration(max(0, rest)))
    phrase = phrases["late" if now >= clock.due_at else "running"]
    due = reader.when(clock.due_at)
    tone = colour(clock, now).upper()
    return str(phrase).format(colour=tone, left=duration(abs(rest)), due=due)


def duration(seconds: int) -> str:
    """``2 d 4 h``, ``7 h 58 min`` or ``12 min``; under a minute ``1 min``."""
    days, rest = divmod(seconds, _DAY)
    hours, rest = divmod(rest, _HOUR)
    minutes = max(1, rest // _MINUTE) if not days and not hours else rest // _MINUTE
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def size(octets: int) -> str:
    """``12 KB`` or ``3.4 MB``."""
    if octets >= 1_000_000:  # noqa: PLR2004 - a megabyte
        return f"{octets / 1_000_000:.1f} MB"
    return f"{max(1, octets // 1_000)} KB"


def shown(text: str) -> str:
    """Somebody's text as it may stand in our mails: a line never begins with a command's sign."""
    return _SPARE_BREAKS.sub("\n\n", _COMMAND_LIKE.sub(" ", text.strip().replace("\r\n", "\n")))


def timeline_line(line: Line, reader: Reader) -> str:
    """``Sun 22 Nov 2026 16:31  assigned to Ana Lopez by the desk``."""
    mark = next((name for name in ("dead", "because") if line.data.get(name)), "")
    kind_of_line = f"{line.type}.{mark}" if mark else line.type
    phrase = reader.phrases["timeline"].get(kind_of_line, line.type)
    words = defaultdict(str, {name: cleaned(value) for name, value in line.data.items()})
    called = ["assignee", "previous", "locked_by", "recipient", "agent"]
    # A held mail's sender is whoever it claims to be: the bare address promises nothing.
    called += [] if line.type == "ticket.mail-held" else ["from"]
    for name in called:
        value = words[name]
        words[name] = reader.person(value) if "@" in value else value
    words["assignee"] = words["assignee"] or str(reader.phrases["nobody"])
    words["locked_by"] = words["locked_by"] or str(reader.phrases["nobody"])
    words["by"] = reader.person(line.by)
    words["from"] = words["from"] or words["by"]
    if words["until"]:
        words["until"] = reader.when(datetime.fromisoformat(words["until"]))
    words["target"] = reader.phrases["targets"].get(words["target"], words["target"])
    kinds = reader.phrases["messages"]
    kind = words["kind"]
    words["what"] = str(kinds.get(kind) or kinds.get(f"{kind}-{words['direction']}", kind))
    return f"{reader.when(line.at)}  {str(phrase).format_map(words)}"
