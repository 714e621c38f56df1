"""What an actor may do to a ticket: roles by word, and the lock."""

from services.tickets.domain.order import Refusal, Work
from shared.config.models import Desk

RANK = {"agent": 0, "lead": 1, "manager": 2, "admin": 3}
NEEDS_THE_LOCK = frozenset(
    {"take", "assign", "release", "team", "reply", "open", "pending", "hold", "resolve", "close"}
    | {"reopen", "status"}
)
"""Words that only the holder of a lock may use while there is one; notes are free to all."""


def is_allowed(role: str, needed: str) -> bool:
    """Whether a role reaches the one that a word needs."""
    return RANK[role] >= RANK[needed]


def lock_refusal(work: Work, word: str) -> Refusal | None:
    """Why the ticket's lock forbids the word; a lead takes over, but never answers over it."""
    holder, actor = work.story.state.locked_by, work.actor
    if word not in NEEDS_THE_LOCK or not holder or holder == actor.id or actor.kind == "system":
        return None
    if actor.may_overrule and word in ("take", "assign", "release", "team"):
        return None
    return Refusal("E05", f"{name_of(holder, work.facts.desk)} has locked this ticket{_end(work)}")


def _end(work: Work) -> str:
    until, zone = work.story.state.locked_until, work.facts.desk.zone(work.actor.id)
    return f" until {until.astimezone(zone):%Y-%m-%d %H:%M %Z}" if until else ""


def name_of(address: str, desk: Desk) -> str:
    """An agent's name with the address, or the address."""
    agent = desk.agents_by_address.get(address)
    return f"{agent.name} <{address}>" if agent else address
