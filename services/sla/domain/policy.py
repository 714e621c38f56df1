"""Which policy is for a ticket, why, and what its clocks are measured by."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from services.sla.domain.calendar import BusinessCalendar, CalendarError
from shared.business_time.named import NamedCalendars
from shared.business_time.zones import is_zone
from shared.config.models import Desk
from shared.config.sla import TARGETS, Goal, Policy, Step, Targets
from shared.contracts.sla import Target

CONDITIONS = ("account", "segment", "service", "department")
"""What a policy can be for; one that names the first of these wins over all that do not."""


@dataclass(frozen=True)
class Traits:
    """What of a ticket chooses its terms; ``sla_policy`` is what a rule of routing gave it."""

    priority: str = ""
    account_id: str = ""
    mailbox: str = ""
    service: str = ""
    sla_policy: str = ""


@dataclass(frozen=True)
class Customer:
    """What the directory says of the ticket's account; empty where it says nothing."""

    segment: str = ""
    timezone: str = ""

    @classmethod
    def of(cls, segment: str, timezone: str) -> "Customer":
        """A customer; a time zone that does not exist is as good as none."""
        return cls(segment, timezone if timezone and is_zone(timezone) else "")


@dataclass(frozen=True)
class Allowance:
    """What a target may use: seconds of ``measure``; ``said`` names them where they are days.

    ``calendar`` and ``timezone`` name the measure; both are empty where it counts all time.
    """

    seconds: int
    measure: BusinessCalendar
    calendar: str = ""
    timezone: str = ""
    said: str = ""


@dataclass(frozen=True)
class Terms:
    """What holds for one ticket; ``rule`` says why this policy.

    ``amber`` is the share of a goal at which its clock warns, ``amber_left_s`` the time left at
    which it does if that comes first. ``pauses`` are the clocks that stand still by status.
    """

    policy: str
    rule: str
    goals: Mapping[Target, Allowance]
    amber: float
    amber_left_s: int = 0
    pauses: Mapping[str, frozenset[Target]] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()


class Policies:
    """The policies of a desk with their calendars built."""

    def __init__(self, desk: Desk) -> None:
        """Raises `CalendarError` that names the calendar which cannot be used."""
        self._desk = desk
        self._calendars = NamedCalendars(desk.calendars)
        self._calendars.check()

    def terms(self, traits: Traits, customer: Customer = Customer()) -> Terms | None:
        """The terms of the policy that a rule of routing gave, else of the most specific one.

        None where none fits.

        Without goals where the policy has none for the priority.
        """
        named = self._policy(traits, customer)
        if named is None:
            return None
        name, policy = named
        targets = policy.targets.get(traits.priority)
        return Terms(
            policy=name,
            rule=self._rule(name, policy, traits, customer),
            goals=self._goals(policy, targets, traits, customer) if targets else {},
            amber=policy.amber,
            amber_left_s=policy.amber_left or 0,
            pauses=self._pauses(policy),
            steps=tuple(self._desk.sla.steps if policy.steps is None else policy.steps),
        )

    def measure(self, calendar: str, timezone: str) -> BusinessCalendar:
        """The calendar that an allowance named; all time where it named none, or it is gone."""
        return self._calendars.find(calendar, timezone)

    def _policy(self, traits: Traits, customer: Customer) -> tuple[str, Policy] | None:
        given = self._desk.sla.policies.get(traits.sla_policy)
        if given is not None:
            return traits.sla_policy, given
        facts = self._facts(traits, customer)
        fitting = [
            (name, policy)
            for name, policy in self._desk.sla.policies.items()
            if all(facts[one] in given for one, given in _conditions(policy) if given)
        ]
        return max(fitting, key=lambda one: _weight(one[1]), default=None)

    def _facts(self, traits: Traits, customer: Customer) -> dict[str, str]:
        box = self._desk.mailboxes_by_address.get(traits.mailbox)
        return {
            "account": traits.account_id,
            "segment": customer.segment,
            "service": traits.service,
            "department": box.department if box else "",
        }

    def _rule(self, name: str, policy: Policy, traits: Traits, customer: Customer) -> str:
        if name == traits.sla_policy:
            return "a rule of routing"
        facts = self._facts(traits, customer)
        named = [f"{one} {facts[one]}" for one, given in _conditions(policy) if given]
        return " and ".join(named) or "default"

    def _goals(
        self, policy: Policy, targets: Targets, traits: Traits, customer: Customer
    ) -> dict[Target, Allowance]:
        given = (targets.first_response, targets.next_response or policy.idle, targets.resolution)
        named = self._calendar_name(policy, traits, customer)
        zone = customer.timezone if policy.timezone == "customer" else ""
        return {
            target: self._allowance(goal, policy.clock, named, zone)
            for target, goal in zip(TARGETS, given, strict=True)
            if goal is not None
        }

    def _calendar_name(self, policy: Policy, traits: Traits, customer: Customer) -> str:
        department = self._facts(traits, customer)["department"]
        sla = self._desk.sla
        by_department = sla.department_calendars.get(department, policy.calendar)
        return sla.account_calendars.get(traits.account_id, by_department)

    def _allowance(
        self, goal: Goal, clock: Literal["business", "calendar"], calendar: str, zone: str
    ) -> Allowance:
        days = goal.seconds // 86_400
        if goal.kind == "calendar days" or (goal.kind == "clock" and clock == "calendar"):
            said = _days(days, goal.kind) if goal.kind != "clock" else ""
            return Allowance(goal.seconds, self._calendars.find("", ""), said=said)
        measure = self._calendars.find(calendar, zone)
        if goal.kind == "clock":
            return Allowance(goal.seconds, measure, calendar, zone)
        seconds = days * self._calendars.day_s(calendar)
        return Allowance(seconds, measure, calendar, zone, _days(days, goal.kind))

    def _pauses(self, policy: Policy) -> dict[str, frozenset[Target]]:
        if policy.pause_on is None:
            return {status: frozenset(TARGETS) for status in self._desk.sla.pause_on}
        return {status: frozenset(clocks) for status, clocks in policy.pause_on.items()}


def _conditions(policy: Policy) -> Iterable[tuple[str, list[str]]]:
    given = (policy.accounts, policy.segments, policy.services, policy.departments)
    return zip(CONDITIONS, given, strict=True)


def _weight(policy: Policy) -> tuple[bool, ...]:
    return tuple(bool(given) for _, given in _conditions(policy))


def _days(count: int, kind: str) -> str:
    return f"{count} {kind if count != 1 else kind.removesuffix('s')}"


__all__ = ["Allowance", "CalendarError", "Customer", "Policies", "Terms", "Traits"]
