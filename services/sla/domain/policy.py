"""Which policy is for a ticket, and what its clocks are measured by."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.sla.domain.calendar import BusinessCalendar, CalendarError
from shared.config.models import SLA, Calendar, Desk, Targets
from shared.contracts.sla import Target

_ALL_TIME = Calendar(timezone="UTC", week="always")


@dataclass(frozen=True)
class Terms:
    """What holds for one ticket: goals in seconds by target, counted by ``calendar``.

    ``amber`` is the share of a goal at which its clock warns.
    """

    policy: str
    calendar: BusinessCalendar
    goals: Mapping[Target, int]
    amber: float


class Policies:
    """The policies of a desk with their calendars built."""

    def __init__(self, desk: Desk) -> None:
        """Raises `CalendarError` that names the calendar which cannot be used."""
        self._sla: SLA = desk.sla
        self._calendars = {name: _built(name, desk.calendars[name]) for name in desk.calendars}
        self._all_time = BusinessCalendar(_ALL_TIME)
        self.pause_on = frozenset(desk.sla.pause_on)

    def terms(self, *, segment: str, priority: str) -> Terms | None:
        """The terms of the policy that names the segment, else of the first that names none.

        None where no policy fits; without goals where the policy has none for the priority.
        """
        name = self._policy_name(segment)
        if name is None:
            return None
        policy = self._sla.policies[name]
        business = policy.clock == "business"
        return Terms(
            policy=name,
            calendar=self._calendars[policy.calendar] if business else self._all_time,
            goals=_goals(policy.targets.get(priority)),
            amber=policy.amber,
        )

    def calendar_of(self, terms: Terms | None) -> BusinessCalendar:
        """The calendar of the terms; all time where there are none."""
        return self._all_time if terms is None else terms.calendar

    def _policy_name(self, segment: str) -> str | None:
        policies = self._sla.policies.items()
        named = (name for name, policy in policies if segment and segment in policy.segments)
        general = (name for name, policy in policies if not policy.segments)
        return next(named, None) or next(general, None)


def _goals(targets: Targets | None) -> dict[Target, int]:
    if targets is None:
        return {}
    goals: dict[Target, int] = {
        "first-response": targets.first_response,
        "resolution": targets.resolution,
    }
    if targets.next_response is not None:
        goals["next-response"] = targets.next_response
    return goals


def _built(name: str, settings: Calendar) -> BusinessCalendar:
    try:
        return BusinessCalendar(settings)
    except CalendarError as error:
        raise CalendarError(f"calendar {name!r}: {error}") from error
