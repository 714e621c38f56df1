"""What is known of one ticket: the public state and what only decisions need."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.contracts.ticket_state import AskedQuestion, Survey, TicketState

DONE = ("resolved", "closed")
REMEMBERED_REPLIES = 10
NUMBERS = 65536
"""How many values the number in a token has."""


@dataclass(frozen=True)
class Ticket:
    """A ticket after its last event; ``evolve`` makes the next one.

    ``last_wrote`` has the seq of each author's latest message; ``reply_times`` the SMTP acceptance
    of the latest answers to the requester; ``resolved_by`` and ``ratings`` go by resolution.
    ``breached`` has the due time of each clock that was missed, such as ``resolution.1``;
    ``escalated_by`` the clocks that led to an escalation, and "" for people; ``asked`` are the
    questions of the acknowledgement; ``taken_out`` are those whom somebody took out of copy. The
    lock ends ``lock_idle_s`` seconds after its holder's latest act (0: not by itself).
    """

    state: TicketState
    participants: frozenset[str] = frozenset()
    cycle: int = 0
    drafts: int = 0
    last_wrote: Mapping[str, int] = field(default_factory=dict)
    reply_times: tuple[datetime, ...] = ()
    resolved_by: Mapping[int, str] = field(default_factory=dict)
    is_survey_asked: bool = False
    ratings: Mapping[int, Survey] = field(default_factory=dict)
    clocks_seq: int = 0
    breached: Mapping[str, datetime] = field(default_factory=dict)
    escalated_by: frozenset[str] = frozenset()
    asked: tuple[AskedQuestion, ...] = ()
    taken_out: frozenset[str] = frozenset()
    lock_idle_s: int = 0

    @property
    def id(self) -> str:
        """Such as ``T-1042``."""
        return self.state.ticket_id

    @property
    def seq(self) -> int:
        """Number of the last event."""
        return self.state.seq

    @property
    def is_done(self) -> bool:
        """Whether nobody works on it: resolved or closed."""
        return self.state.status in DONE

    def seen_seq(self, number: int) -> int:
        """The seq that a reply token's ``number`` (modulo 65536) stands for."""
        turn = self.seq - self.seq % NUMBERS
        seen = turn + number
        return seen if seen <= self.seq or turn == 0 else seen - NUMBERS

    def others_since(self, seen: int, actor: str) -> list[str]:
        """Who else added a message after event ``seen``, by address or name."""
        found = [who for who, at in self.last_wrote.items() if at > seen and who != actor]
        return [who.partition(":")[2] for who in found]
