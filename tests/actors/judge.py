"""Compares what was sent, what the desk holds and what it sent itself; says all that is wrong.

Pure. The checks and their numbers are those of the reliability page, 6.1.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tests.actors import judge_machine, judge_mail, judge_sent, judge_tickets
from tests.actors.books import Evidence

CHECKS: Mapping[str, tuple[str, Callable[[Evidence], Iterator[str]]]] = {
    "J1": ("no loss", judge_mail.no_loss),
    "J2": ("exactly once", judge_mail.exactly_once),
    "J3": ("no invention", judge_mail.no_invention),
    "J4": ("every reply as planned", judge_mail.replies),
    "J5": ("the same bytes", judge_mail.same_bytes),
    "J6": ("reused Message-IDs", judge_mail.reused_ids),
    "J7": ("the right ticket, nobody believed unproved", judge_mail.right_ticket),
    "J8": ("outgoing mail as the events ask", judge_sent.sent_as_expected),
    "J9": ("machines unanswered", judge_sent.machines_unanswered),
    "J10": ("order of each ticket", judge_tickets.order),
    "J11": ("clocks once and in time", judge_tickets.clocks),
    "J12": ("reports count right", judge_tickets.reports),
    "J13": ("only poison is dead", judge_machine.only_poison_is_dead),
    "J14": ("memory and restarts", judge_machine.processes),
    "J15": ("every 250 names a row", judge_mail.known_names),
}


@dataclass(frozen=True)
class Check:
    """One check's outcome."""

    name: str
    title: str
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def verdict(found: Evidence) -> list[Check]:
    """All checks, with everything that is missing, too much or out of order."""
    return [Check(name, title, tuple(look(found))) for name, (title, look) in CHECKS.items()]


def problems(found: Evidence) -> list[str]:
    """All that is wrong, one line each; empty is innocent."""
    return [f"{check.name}: {line}" for check in verdict(found) for line in check.problems]
