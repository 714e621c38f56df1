"""An agent's mail that was given back: kept until it is corrected, sent, dropped or too old."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shared.contracts.base import Attachment


@dataclass(frozen=True, slots=True)
class Draft:
    """``block`` are the lines of commands as written, ``seen`` the event that its writer knew."""

    ticket_id: str
    agent: str
    number: int
    kind: Literal["public", "note"]
    block: tuple[str, ...]
    text: str
    seen: int
    until: datetime
    codes: tuple[str, ...] = ()
    attachments: list[Attachment] = field(default_factory=list)
    state: Literal["held", "released", "replaced", "dropped"] = "held"

    @property
    def id(self) -> str:
        """Unique for ticket, agent and number."""
        return f"{self.ticket_id}:{self.agent}:{self.number}"

    def is_open(self, now: datetime) -> bool:
        """Whether it can still be sent."""
        return self.state == "held" and now <= self.until
