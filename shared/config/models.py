"""The desk's whole file; its sections are in the modules beside this one."""

from functools import cached_property
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from shared.config.customers import Customers, Survey
from shared.config.door import Authentication, Door
from shared.config.intake import Intake
from shared.config.mailing import Agents, Notices, Report, Sending
from shared.config.names import check_names
from shared.config.people import Agent, Mailbox, System, Team
from shared.config.routing import Routing
from shared.config.sla import SLA, Calendar
from shared.config.sources import Ingest
from shared.config.values import Section


class Desk(Section):
    """The whole file."""

    name: str = Field(max_length=80)
    """Name of the company."""
    host: str
    """Domain of the desk's Message-IDs."""
    language: str = "en"
    """Default language."""
    priorities: list[str] = Field(default=["low", "normal", "high", "urgent"])
    """Names, least urgent first."""
    categories: list[str] = Field(default_factory=list)
    """Names; empty allows any."""
    mailboxes: list[Mailbox] = Field(min_length=1)
    """Support addresses."""
    teams: list[Team] = Field(min_length=1)
    """Teams."""
    agents: list[Agent] = Field(min_length=1)
    """Agents, leads, managers, admins."""
    calendars: dict[str, Calendar] = Field(default_factory=dict)
    """Business calendars by name."""
    sla: SLA = SLA()
    """Service level targets."""
    routing: Routing = Routing()
    """Rules for new tickets."""
    survey: Survey = Survey()
    """The question after a resolution."""
    customers: Customers = Customers()
    """Rules for customers' mail."""
    agent_mail: Agents = Agents()
    """Rules for agents' mail."""
    notices: Notices = Notices()
    """Notices to agents."""
    sending: Sending = Sending()
    """The desk's own mail."""
    door: Door = Door()
    """Limits of the SMTP door."""
    ingest: Ingest = Ingest()
    """Mail in besides SMTP."""
    intake: Intake = Intake()
    """What is made of mail that opens tickets."""
    authentication: Authentication = Authentication()
    """The desk's own check of senders."""
    directory: list[str] = Field(default_factory=list)
    """Files with accounts, contacts, services and invoices that ``postdesk up`` loads, beside this
    one; the topic ``directory`` is the other way in."""
    reports: list[Report] = Field(default_factory=list)
    """Reports sent by themselves."""
    systems: list[System] = Field(default_factory=list)
    """Programs on the bus; empty: any may send commands, but none act for agents."""

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        check_names(self)
        return self

    @cached_property
    def agents_by_address(self) -> dict[str, Agent]:
        """Agents by registered address."""
        return {agent.address: agent for agent in self.agents}

    @cached_property
    def mailboxes_by_address(self) -> dict[str, Mailbox]:
        """Mailboxes by address."""
        return {box.address: box for box in self.mailboxes}

    @cached_property
    def teams_by_name(self) -> dict[str, Team]:
        """Teams by name."""
        return {team.name: team for team in self.teams}

    def zone(self, address: str) -> ZoneInfo:
        """The zone in which the agent with this address reads times; UTC for others."""
        agent = self.agents_by_address.get(address)
        return ZoneInfo(agent.timezone if agent else "UTC")
