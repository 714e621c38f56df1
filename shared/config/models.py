"""What can be set about a desk; the reference in the docs is generated from these models."""

from datetime import date
from functools import cached_property
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from shared.config.intake import (
    ContactForm,
    CustomerPriority,
    Intake,
    IntakeQuestion,
    QuarantineNews,
    Questionnaire,
    SpamFilter,
)
from shared.config.routing import Action, Condition, Hours, Routing, Rule
from shared.config.sla import SLA, Calendar, Goal, Policy, Season, Step, Targets
from shared.config.sources import IMAPSource, Ingest, Sources
from shared.config.values import (
    DURATION_SCHEMA,
    BlockedSender,
    Duration,
    MailAddress,
    Network,
    Section,
    TimeOfDay,
    Zone,
    split_server,
)
from shared.senders import MOST_PER_DAY, MOST_PER_HOUR, Limit

__all__ = [
    "DURATION_SCHEMA",
    "SLA",
    "Action",
    "Calendar",
    "Condition",
    "ContactForm",
    "CustomerPriority",
    "Desk",
    "Duration",
    "Goal",
    "Hours",
    "IMAPSource",
    "Ingest",
    "Intake",
    "IntakeQuestion",
    "Policy",
    "QuarantineNews",
    "Questionnaire",
    "Routing",
    "Rule",
    "Season",
    "Sources",
    "SpamFilter",
    "Step",
    "Targets",
    "split_server",
]

_Section = Section
Role = Literal["agent", "lead", "manager", "admin"]


class UnknownNameError(ValueError):
    """A name that is defined nowhere; ``location`` is the path of the setting that uses it."""

    def __init__(self, reason: str, location: tuple[str | int, ...]) -> None:
        super().__init__(reason)
        self.location = location


class Mailbox(_Section):
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


class Agent(_Section):
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


class Team(_Section):
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


class Survey(_Section):
    """The question after a resolution."""

    enabled: bool = True
    """Whether it is asked unless the agent says otherwise."""


class LimitedSender(_Section):
    """A sender who may write only so much."""

    who: BlockedSender
    """An address, or a domain with all below it."""
    per_hour: int = Field(default=0, ge=0, le=MOST_PER_HOUR)
    """Mails in a clock hour; 0: no limit."""
    per_day: int = Field(default=0, ge=0, le=MOST_PER_DAY)
    """Mails in a day (UTC); 0: no limit."""

    @model_validator(mode="after")
    def _has_limit(self) -> Self:
        if not self.per_hour and not self.per_day:
            raise ValueError("give per_hour, per_day or both")
        return self


class Customers(_Section):
    """How customers are treated."""

    acknowledge: Literal["authenticated", "all"] = "authenticated"
    """Who gets automatic answers: senders whose mail authenticates, or all (closed networks)."""
    acknowledgements_per_hour: int = Field(default=5, ge=0)
    """Most acknowledgements to one address within an hour."""
    blocked: list[BlockedSender] = Field(default_factory=list)
    """Senders whose mail is kept and no more, without ticket or answer: addresses, or domains with
    all below them."""
    limited: list[LimitedSender] = Field(default_factory=list)
    """Senders of whom only so many mails reach the desk; those beyond wait in quarantine. Of
    several the nearest counts: an address before its domain."""
    reopen_within: Duration = 7 * 86_400
    """A reply within this time reopens a resolved ticket; later it opens a new, linked one."""

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(self.limits_by_sender) < len(self.limited):
            raise ValueError("limited: each sender once")
        return self

    @cached_property
    def limits_by_sender(self) -> dict[str, Limit]:
        """The limits by address or domain."""
        return {one.who: Limit(one.who, one.per_hour, one.per_day) for one in self.limited}


class Agents(_Section):
    """How agents' mails are treated."""

    trust: Literal["verified", "token"] = "verified"
    """``verified``: signed address, registered From and an aligned DMARC or DKIM pass.
    ``token``: the first two are enough; for closed networks only."""
    reply_takes: bool = True
    """Whether an answer to a ticket that nobody has takes it."""
    address_days: int = Field(default=90, ge=1, le=3650)
    """Days that a personal reply address stays valid."""
    draft_kept: Duration = 3 * 86_400
    """How long a refused mail waits for its correction."""


class Notices(_Section):
    """Mails that tell agents of events."""

    bundle: Duration = 30
    """Later notices of one ticket to one agent are collected for this long."""
    hold: Duration = 2
    """The first notice waits at most this long for the clocks' state."""
    quiet: tuple[TimeOfDay, TimeOfDay] | None = None
    """Hours, such as ``["20:00", "07:00"]`` in each reader's zone, in which clocks and their
    ladder send no mail; it waits for the end, unless the step says ``at_night``."""


class Sending(_Section):
    """How the desk's own mail is handed to the relay."""

    first_pause: Duration = Field(default=300, ge=1)
    """Pause after a mail's first temporary refusal (4xx); it doubles up to 66 minutes."""


class Door(_Section):
    """Limits of the SMTP door."""

    max_bytes: int = Field(default=26_214_400, ge=65_536)
    """Largest mail (SIZE, RFC 1870)."""
    max_recipients: int = Field(default=100, ge=100)
    """Recipients of one mail (RFC 5321, 4.5.3.1.8 asks for 100)."""
    max_connections: int = Field(default=500, ge=1)
    """Connections in all."""
    max_connections_per_address: int = Field(default=50, ge=1)
    """Connections of one address."""
    max_in_vain_per_minute: int = Field(default=30, ge=1)
    """Connections of one address that may come and go in a minute without leaving a mail."""
    lmtp: str = Field(default="", pattern=r"^(.*:\d+)?$")
    """host:port where LMTP is spoken (RFC 2033), beside SMTP; empty: nowhere."""
    exempt: list[Network] = Field(default=["127.0.0.1", "::1"])
    """Own relays, as addresses or networks: no limits of connections per address, nor of errors;
    SPF is not asked about them."""
    proxies: list[Network] = Field(default_factory=list)
    """Load balancers in front that begin with a PROXY header, version 1 or 2; from no others."""
    memory_bytes: int = Field(default=268_435_456, ge=1_048_576)
    """Bytes of mails in flight; above it new ones are answered 452."""
    min_free_bytes: int = Field(default=268_435_456, ge=0)
    """Least free disk, of MongoDB and of ingest; below it, or below 1.5 x ``max_bytes``, 452."""
    max_waiting: int = Field(default=200_000, ge=1)
    """Mails that may wait to be read, for instance while Kafka is away; with more, 452."""
    max_waiting_age: Duration = 0
    """For how long the oldest may wait; 0: as long as it takes."""
    certificate: str = ""
    """PEM file with chain and key for STARTTLS; empty: not offered."""
    trusted_authserv: list[str] = Field(default_factory=list)
    """authserv-ids whose Authentication-Results are believed (RFC 8601) in mail from ``exempt``."""


class Authentication(_Section):
    """The desk's own check of senders: DKIM, SPF and DMARC.

    Done where no relay of ours has done it, and only where something depends on it: agents' mail
    (``agent_mail.trust: verified``), acknowledgements (``customers.acknowledge: authenticated``)
    or a contact form's mail.
    """

    resolver: str = "system"
    """Name server to ask: ``system`` for the machine's own, an address such as ``192.0.2.53`` or
    ``192.0.2.53:5353``, or ``none`` for no check."""

    @field_validator("resolver")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if value not in ("system", "none"):
            split_server(value)
        return value


class Report(_Section):
    """A report that is sent by itself."""

    kind: Literal["monthly"] = "monthly"
    """What it covers: the calendar month before."""
    to: list[MailAddress] = Field(min_length=1)
    """Who gets it."""
    timezone: Zone = "UTC"
    """Zone whose midnight of the 1st ends the month."""


class System(_Section):
    """A program that may send commands over the bus."""

    name: str = Field(max_length=80)
    """Its name, as in the actor ``system:NAME``."""
    commands: list[str] = Field(default_factory=list)
    """Commands that it may send, such as ``open-ticket``; empty: all."""
    acts_for_agents: bool = False
    """Whether it may act in an agent's name."""


class Desk(_Section):
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
        teams, agents = {t.name for t in self.teams}, {a.address for a in self.agents}
        boxes = {m.address for m in self.mailboxes}
        for i, box in enumerate(self.mailboxes):
            _known("team", box.team, teams, ("mailboxes", i, "team"))
            _known("priority", box.priority, set(self.priorities), ("mailboxes", i, "priority"))
        for i, team in enumerate(self.teams):
            for member in team.members:
                _known("agent", member, agents, ("teams", i, "members"))
            for field in ("lead", "manager"):
                if who := getattr(team, field):
                    _known("agent", who, agents, ("teams", i, field))
        for i, source in enumerate(self.ingest.sources.imap):
            _known("mailbox", source.mailbox, boxes, ("ingest", "sources", "imap", i, "mailbox"))
        self._check_service_levels()
        self._check_rules()
        self._check_intake()
        if both := boxes & agents:
            raise ValueError(f"{min(both)} is a mailbox and an agent at once")
        return self

    def _check_rules(self) -> None:
        teams, agents = set(self.teams_by_name), set(self.agents_by_address)
        skills = {skill for agent in self.agents for skill in agent.skills}
        categories = {*self.categories} if self.categories else None
        for i, rule in enumerate(self.routing.rules):
            then, at = rule.then, ("routing", "rules", i, "then")
            _known("team", then.team, {"", *teams}, (*at, "team"))
            roles = {"", "senior", "lead", "manager"}
            _known("agent", then.assign, {*roles, *agents}, (*at, "assign"))
            _known("skill", then.skill, {"", *skills}, (*at, "skill"))
            _known("priority", then.priority, {"", *self.priorities}, (*at, "priority"))
            _known("policy", then.sla_policy, {"", *self.sla.policies}, (*at, "sla_policy"))
            if categories is not None:
                _known("category", then.category, {"", *categories}, (*at, "category"))
            for n, box in enumerate(rule.when.mailboxes):
                place = ("routing", "rules", i, "when", "mailboxes", n)
                _known("mailbox", box, set(self.mailboxes_by_address), place)

    def _check_intake(self) -> None:
        most = self.intake.priority.at_most
        lists: list[tuple[tuple[str | int, ...], list[str]]]
        _known("priority", most, {"", *self.priorities}, ("intake", "priority", "at_most"))
        boxes = set(self.mailboxes_by_address)
        lists = [(("priority",), self.intake.priority.mailboxes)]
        lists += [(("forms", i), form.mailboxes) for i, form in enumerate(self.intake.forms)]
        for at, named in lists:
            for n, box in enumerate(named):
                _known("mailbox", box, boxes, ("intake", *at, "mailboxes", n))

        departments = {box.department for box in self.mailboxes} - {""}
        for i, one in enumerate(self.intake.questionnaires):
            for n, name in enumerate(one.departments):
                place = ("intake", "questionnaires", i, "departments", n)
                _known("department", name, departments, place)

    def _check_service_levels(self) -> None:
        calendars = set(self.calendars)
        for field in ("department_calendars", "account_calendars"):
            for key, name in getattr(self.sla, field).items():
                _known("calendar", name, calendars, ("sla", field, key))
        self._check_steps(self.sla.steps, ("sla", "steps"))
        for name, policy in self.sla.policies.items():
            at = ("sla", "policies", name)
            _known("calendar", policy.calendar, calendars, (*at, "calendar"))
            for priority in policy.targets:
                _known("priority", priority, set(self.priorities), (*at, "targets", priority))
            self._check_steps(policy.steps or [], (*at, "steps"))

    def _check_steps(self, steps: list[Step], at: tuple[str | int, ...]) -> None:
        teams, agents = {t.name for t in self.teams}, {a.address for a in self.agents}
        for i, step in enumerate(steps):
            if step.name in {other.name for other in steps[:i]}:
                raise UnknownNameError(f"two steps are called {step.name!r}", (*at, i, "name"))
            people = {"senior", "lead", "manager", "", *agents}
            _known("priority", step.priority, {"raise", "", *self.priorities}, (*at, i, "priority"))
            _known("agent", step.assign, people, (*at, i, "assign"))
            _known("team", step.team, {"", *teams}, (*at, i, "team"))
            for who in step.notify:
                if "@" not in who:
                    _known("role", who, {"assignee", "team", "lead", "manager"}, (*at, i, "notify"))

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


def _known(kind: str, name: str, names: set[str], location: tuple[str | int, ...]) -> None:
    if name not in names:
        known = ", ".join(sorted(names))
        raise UnknownNameError(f"unknown {kind} {name!r}; known: {known}", location)
