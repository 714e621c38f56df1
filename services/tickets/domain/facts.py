"""What a decision is told about the world: time, configuration, who somebody is."""

from dataclasses import dataclass, field
from datetime import datetime

from shared.config.models import Desk
from shared.config.people import Agent


@dataclass(frozen=True, slots=True)
class Absence:
    """An agent is away from ``since`` until before ``until``.

    ``stand_in`` is whom they named to get their tickets; ``said_at`` is when SMTP took the mail
    ``said_in`` that says so. The word that they are back is an absence without length.
    """

    agent: str
    since: datetime
    until: datetime
    said_at: datetime
    stand_in: str = ""
    said_in: str = ""

    @property
    def is_return(self) -> bool:
        """Whether it says that the agent is back."""
        return self.since == self.until


@dataclass(frozen=True, slots=True)
class Facts:
    """One moment of one desk; ``digest`` names the configuration in every event."""

    now: datetime
    desk: Desk
    digest: str = ""
    loads: dict[str, int] = field(default_factory=dict)
    """Open tickets by agent, where routing asks for them; grows as a batch assigns more."""
    absences: dict[str, Absence] = field(default_factory=dict)
    """What agents last said of their absence; follows the mails of a batch."""
    barred: set[str] = field(default_factory=set)
    """Addresses and domains that agents barred, as far as the batch's senders are concerned."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who the directory says an address belongs to; ``contact_id`` is empty for a stranger."""

    contact_id: str = ""
    account_id: str = ""
    name: str = ""
    language: str = ""
    segments: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether it is a contact."""
        return bool(self.contact_id)


STRANGER = Person()


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: an agent, or a system by its name. ``name`` is what the requester may read."""

    kind: str
    id: str
    name: str = ""
    role: str = "agent"

    @classmethod
    def of(cls, agent: Agent) -> "Actor":
        """The agent as an actor."""
        return cls("agent", agent.address, agent.name, agent.role)

    def __str__(self) -> str:
        """As events name it: ``agent:ana@desk.example``."""
        return f"{self.kind}:{self.id}"

    @property
    def may_overrule(self) -> bool:
        """Whether another agent's lock may be broken: leads and above, and systems."""
        return self.kind == "system" or self.role in ("lead", "manager", "admin")
