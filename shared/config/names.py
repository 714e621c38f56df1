"""Every name that a setting uses must be defined somewhere in the same file."""

from typing import TYPE_CHECKING

from shared.config.sla import Step

if TYPE_CHECKING:  # the file's own model asks for this check
    from shared.config.models import Desk

Place = tuple[str | int, ...]
"""The path of a setting."""


class UnknownNameError(ValueError):
    """A name that is defined nowhere; ``location`` is the path of the setting that uses it."""

    def __init__(self, reason: str, location: Place) -> None:
        super().__init__(reason)
        self.location = location


def check_names(desk: "Desk") -> None:
    """Raise `UnknownNameError` or ValueError where a name is not defined, or means two things."""
    teams, agents = {t.name for t in desk.teams}, {a.address for a in desk.agents}
    boxes = {m.address for m in desk.mailboxes}
    for i, box in enumerate(desk.mailboxes):
        _known("team", box.team, teams, ("mailboxes", i, "team"))
        _known("priority", box.priority, set(desk.priorities), ("mailboxes", i, "priority"))
    for i, team in enumerate(desk.teams):
        for member in team.members:
            _known("agent", member, agents, ("teams", i, "members"))
        for field in ("lead", "manager"):
            if who := getattr(team, field):
                _known("agent", who, agents, ("teams", i, field))
    for i, source in enumerate(desk.ingest.sources.imap):
        _known("mailbox", source.mailbox, boxes, ("ingest", "sources", "imap", i, "mailbox"))
    _check_service_levels(desk)
    _check_rules(desk)
    _check_intake(desk)
    if both := boxes & agents:
        raise ValueError(f"{min(both)} is a mailbox and an agent at once")


def _check_rules(desk: "Desk") -> None:
    teams, agents = set(desk.teams_by_name), set(desk.agents_by_address)
    skills = {skill for agent in desk.agents for skill in agent.skills}
    categories = {*desk.categories} if desk.categories else None
    for i, rule in enumerate(desk.routing.rules):
        then, at = rule.then, ("routing", "rules", i, "then")
        _known("team", then.team, {"", *teams}, (*at, "team"))
        roles = {"", "senior", "lead", "manager"}
        _known("agent", then.assign, {*roles, *agents}, (*at, "assign"))
        _known("skill", then.skill, {"", *skills}, (*at, "skill"))
        _known("priority", then.priority, {"", *desk.priorities}, (*at, "priority"))
        _known("policy", then.sla_policy, {"", *desk.sla.policies}, (*at, "sla_policy"))
        if categories is not None:
            _known("category", then.category, {"", *categories}, (*at, "category"))
        for n, box in enumerate(rule.when.mailboxes):
            place = ("routing", "rules", i, "when", "mailboxes", n)
            _known("mailbox", box, set(desk.mailboxes_by_address), place)


def _check_intake(desk: "Desk") -> None:
    most = desk.intake.priority.at_most
    lists: list[tuple[Place, list[str]]]
    _known("priority", most, {"", *desk.priorities}, ("intake", "priority", "at_most"))
    boxes = set(desk.mailboxes_by_address)
    lists = [(("priority",), desk.intake.priority.mailboxes)]
    lists += [(("forms", i), form.mailboxes) for i, form in enumerate(desk.intake.forms)]
    for at, named in lists:
        for n, box in enumerate(named):
            _known("mailbox", box, boxes, ("intake", *at, "mailboxes", n))

    departments = {box.department for box in desk.mailboxes} - {""}
    for i, one in enumerate(desk.intake.questionnaires):
        for n, name in enumerate(one.departments):
            place = ("intake", "questionnaires", i, "departments", n)
            _known("department", name, departments, place)


def _check_service_levels(desk: "Desk") -> None:
    calendars = set(desk.calendars)
    for field in ("department_calendars", "account_calendars"):
        for key, name in getattr(desk.sla, field).items():
            _known("calendar", name, calendars, ("sla", field, key))
    _check_steps(desk, desk.sla.steps, ("sla", "steps"))
    for name, policy in desk.sla.policies.items():
        at = ("sla", "policies", name)
        _known("calendar", policy.calendar, calendars, (*at, "calendar"))
        for priority in policy.targets:
            _known("priority", priority, set(desk.priorities), (*at, "targets", priority))
        _check_steps(desk, policy.steps or [], (*at, "steps"))


def _check_steps(desk: "Desk", steps: list[Step], at: Place) -> None:
    teams, agents = {t.name for t in desk.teams}, {a.address for a in desk.agents}
    for i, step in enumerate(steps):
        if step.name in {other.name for other in steps[:i]}:
            raise UnknownNameError(f"two steps are called {step.name!r}", (*at, i, "name"))
        people = {"senior", "lead", "manager", "", *agents}
        _known("priority", step.priority, {"raise", "", *desk.priorities}, (*at, i, "priority"))
        _known("agent", step.assign, people, (*at, i, "assign"))
        _known("team", step.team, {"", *teams}, (*at, i, "team"))
        for who in step.notify:
            if "@" not in who:
                _known("role", who, {"assignee", "team", "lead", "manager"}, (*at, i, "notify"))


def _known(kind: str, name: str, names: set[str], location: Place) -> None:
    if name not in names:
        known = ", ".join(sorted(names))
        raise UnknownNameError(f"unknown {kind} {name!r}; known: {known}", location)
