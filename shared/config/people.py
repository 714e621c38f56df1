"""Settings of who is at the desk: its mailboxes, agents, teams, and programs on the bus."""

from datetime import date
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from shared.config.routing import Hours
from shared.config.values import MailAddress, Section, Zone

Role = Literal["agent", "lead", "manager", "admin"]


class Mailbox(Section):
    """A support address."""

    address: MailAddress
    """Where customers write; the part before the @ is at most 23 characters."""
    brand: str = Field(max_length=80)
    """Name that customers see."""
    team: str
    """Team that gets what is written here."""
    department: str = ""
    """Department, for rules and reports."""
    language: str = "en"
    """Language of automatic texts where the customer's is not known."""
    priority: str = "normal"
    """Priority of a new ticket."""
    signature: str = ""
    """Text under an agent's answer; ``{agent}`` is the agent's name."""

    @model_validator(mode="after")
    def _short_name(self) -> Self:
        if len(self.address.partition("@")[0]) > 23:  # noqa: PLR2004 - shared.addresses has the sum
            raise ValueError("the part before the @ may have 23 characters, so that answers fit")
        return self


class Agent(Section):
    """Somebody who works on tickets, or watches over those who do."""

    address: MailAddress
    """The registered address: only mail from it can act."""
    name: str = Field(max_length=80)
    """Name in mails."""
    handle: str = ""
    """Short name for ``#assign``; the address's local part if empty."""
    role: Role = "agent"
    """What the agent may do: agent, lead, manager or admin."""
    language: str = "en"
    """Language of the mails to the agent."""
    timezone: Zone = "UTC"
    """Zone of the times in those mails."""
    senior: bool = False
    """Whether hard cases are given to them: VIP customers, escalations."""
    languages: list[str] = Field(default_factory=list)
    """Languages of the customers whose tickets the rotation gives them; empty: all."""
    skills: list[str] = Field(default_factory=list)
    """What they can do, for rules that ask for a skill."""
    capacity: int = Field(default=0, ge=0)
    """Open tickets with which the rotation passes them by; 0: no limit."""
    hours: Hours | None = None
    """When the rotation gives them tickets; empty: always."""
    away: list[tuple[date, date]] = Field(default_factory=list)
    """First and last days of absences, in the agent's zone."""
    receipts: Literal["errors", "all"] = "errors"
    """Whether a mail that worked is confirmed too."""

    @property
    def short(self) -> str:
        """The handle, or what stands for it."""
        return self.handle or self.address.partition("@")[0]

    @property
    def zone(self) -> ZoneInfo:
        """Zone of the agent's days and times."""
        return ZoneInfo(self.timezone)


class Team(Section):
    """People who share tickets."""

    name: str
    """The word for ``#team``."""
    title: str = ""
    """Name in mails; ``name`` if empty."""
    members: list[MailAddress] = Field(min_length=1)
    """Agents in the order of the rotation."""
    rotation: Literal["turns", "load"] = "turns"
    """Who is next: each in turn, or whoever has the fewest open tickets."""
    lead: MailAddress | None = None
    """Who leads it; the first member with that role if empty."""
    manager: MailAddress | None = None
    """Who is told of breaches."""


class System(Section):
    """A program that may send commands over the bus."""

    name: str = Field(max_length=80)
    """Its name, as in the actor ``system:NAME``."""
    commands: list[str] = Field(default_factory=list)
    """Commands that it may send, such as ``open-ticket``; empty: all."""
    acts_for_agents: bool = False
    """Whether it may act in an agent's name."""
