"""Settings of business time and of service levels: calendars, targets, policies, the ladder."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from shared.config.values import DURATION_SCHEMA, Duration, Section, Zone

Period = tuple[str, str]
Week = (
    dict[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], list[Period]] | Literal["always"]
)
Target = Literal["first-response", "next-response", "resolution"]
WaitingStatus = Literal["new", "open", "pending", "on-hold"]
TARGETS: tuple[Target, ...] = ("first-response", "next-response", "resolution")
DayKind = Literal["calendar days", "business days"]
_SHORT_KINDS: dict[str, DayKind] = {"cd": "calendar days", "bd": "business days"}
_DAY_S = 86_400


class Season(Section):
    """A part of the year, or of one year, with a week of its own."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    since: str = Field(alias="from")
    """First day: ``2026-07-01``, or ``07-01`` for every year."""
    until: str
    """Last day, in the same form; ``from: 12-20, until: 01-06`` goes over the new year."""
    week: Week
    """Opening periods of each weekday in this time."""


class Calendar(Section):
    """When the desk is open."""

    timezone: Zone
    """Zone of the times below."""
    week: Week
    """Opening periods of each weekday such as ``[["09:00", "12:30"]]``, or ``always``."""
    seasons: list[Season] = Field(default_factory=list)
    """Times with another week; the first that holds a date counts."""
    holidays: dict[Literal["country", "subdivision"], str] | None = None
    """Public holidays of a country (ISO 3166) and subdivision: closed."""
    closed: list[str] = Field(default_factory=list)
    """Closing days: ``2026-12-31``, ``12-24`` for every year; ``12-24/01-02`` from and until."""
    open: dict[str, list[Period]] = Field(default_factory=dict)
    """Periods of dates, such as a half day; they replace the week's and beat ``holidays``.
    ``2026-12-24``, or ``12-24`` for every year."""
    day: Duration | None = Field(default=None, gt=0)
    """Open time that is one business day of a target; the week's longest day if empty."""


class Goal(Section):
    """How long a target may take: ``seconds`` of the policy's clock, or days of a named kind.

    A calendar day is 24 hours of all time, a business day the calendar's ``day`` of open time,
    whatever the policy's clock is.
    """

    seconds: int = Field(ge=0)
    kind: Literal["clock"] | DayKind = "clock"


def _goal(value: object) -> object:
    """Text such as ``8h``, ``7 calendar days`` or ``7bd``, or a number of seconds."""
    if not isinstance(value, str | int) or isinstance(value, bool):
        return value
    words = re.fullmatch(r"(\d+)\s*(cd|bd|calendar days?|business days?)", str(value).strip())
    if not words:
        return {"seconds": value if isinstance(value, int) else _clock_seconds(value)}
    kind = _SHORT_KINDS.get(words[2], f"{words[2].rstrip('s')}s")
    return {"seconds": int(words[1]) * _DAY_S, "kind": kind}


def _clock_seconds(text: str) -> object:
    from pydantic import TypeAdapter

    return TypeAdapter(Duration).validate_python(text)


GOAL_SCHEMA: dict[str, Any] = {
    "anyOf": [
        *DURATION_SCHEMA["anyOf"],
        {"type": "string", "pattern": r"^\d+\s*(cd|bd|calendar days?|business days?)$"},
    ]
}
GoalText = Annotated[Goal, BeforeValidator(_goal), WithJsonSchema(GOAL_SCHEMA, mode="validation")]
"""In the file ``8h``, ``7 calendar days`` (``7cd``) or ``7 business days`` (``7bd``)."""


class Targets(Section):
    """How soon, for one priority.

    ``8h`` is time of the policy's clock, so ``7d`` is 168 hours of it; ``7 calendar days``
    (``7cd``) and ``7 business days`` (``7bd``) name what they count, whatever that clock is.
    """

    first_response: GoalText
    """Until the first answer of an agent."""
    resolution: GoalText
    """Until it is resolved."""
    next_response: GoalText | None = None
    """Until each later customer message is answered; the policy's ``idle`` if empty."""


class Step(Section):
    """One step of the ladder: when it is reached, and what is done then, once for each clock."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=40)
    """Its name, in events and on the ticket."""
    targets: list[Target] = Field(default=list(TARGETS))
    """Clocks that it is for."""
    used: float | None = Field(default=None, gt=0, lt=1)
    """Reached when that share of the time is used."""
    left: Duration | None = None
    """Or: reached when so much is left."""
    late: Duration | None = None
    """Or: reached so much after the due time; 0 is the breach itself."""
    clock: Literal["business", "real"] = "business"
    """What ``left`` and ``late`` are counted in: the clock's own time, or all time."""
    notify: list[str] = Field(default_factory=list, max_length=20)
    """Who gets a mail: ``assignee``, ``team``, ``lead``, ``manager``, or an address."""
    priority: str = ""
    """``raise`` for the next higher one, or the name of a priority."""
    assign: str = ""
    """New assignee: an agent's address, ``senior``, ``lead`` or ``manager``."""
    team: str = ""
    """Team that it is moved to."""
    flag: bool = True
    """Whether the ticket is marked as escalated."""
    at_night: bool = False
    """Whether its mails go out in the reader's quiet hours too."""

    @model_validator(mode="after")
    def _is_at_one_time(self) -> Self:
        if sum(one is not None for one in (self.used, self.left, self.late)) != 1:
            raise ValueError("give one of used, left and late")
        return self


class Policy(Section):
    """Targets by priority, and the clock that they are measured with.

    All conditions that are given must hold. Of the policies that fit, one that names the account
    (a contract) wins, then one that names the segment, then the service, then the department.
    """

    calendar: str
    """Name of a calendar."""
    timezone: Literal["calendar", "customer"] = "calendar"
    """``customer``: the calendar's hours in the account's own zone, where it is known."""
    clock: Literal["business", "calendar"] = "business"
    """``business`` counts open time, ``calendar`` all time."""
    accounts: list[str] = Field(default_factory=list)
    """Ids of accounts with this contract."""
    segments: list[str] = Field(default_factory=list)
    """Customer segments that this policy is for; empty: everybody."""
    services: list[str] = Field(default_factory=list)
    """Services that it is for."""
    departments: list[str] = Field(default_factory=list)
    """Departments that it is for."""
    targets: dict[str, Targets]
    """By priority name."""
    idle: GoalText | None = None
    """How long a customer's later message may wait, where the priority has no ``next_response``."""
    amber: float = Field(default=0.75, gt=0, lt=1)
    """Share of the time used up at which a clock turns amber."""
    amber_left: Duration | None = None
    """Time left at which a clock turns amber, if that is sooner."""
    pause_on: dict[WaitingStatus, list[Target]] | None = None
    """Which clocks stand still in which status; ``sla.pause_on`` and all clocks if empty."""
    steps: list[Step] | None = None
    """The ladder; ``sla.steps`` if empty."""


def _first_ladder() -> list[Step]:
    return [Step(name="breach", late=0, notify=["manager"])]


class SLA(Section):
    """Service level targets."""

    policies: dict[str, Policy] = Field(default_factory=dict)
    """By name; of those that fit the most specific one counts, and of equal ones the first."""
    pause_on: list[Literal["pending", "on-hold"]] = Field(default=["pending", "on-hold"])
    """Statuses in which the clocks stand still."""
    department_calendars: dict[str, str] = Field(default_factory=dict)
    """Calendar of a department's tickets, instead of the policy's."""
    account_calendars: dict[str, str] = Field(default_factory=dict)
    """Calendar of an account's tickets, instead of the policy's and the department's."""
    steps: list[Step] = Field(default_factory=_first_ladder, max_length=20)
    """What is done when a clock nears its due time, or passes it."""
