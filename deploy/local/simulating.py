"""Replays stored ticket events under two configurations and compares what was late."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from deploy.local.history import History
from services.sla.domain.policy import Customer, Policies, Terms, Traits
from services.sla.domain.simulation import Breach, breaches
from shared.config.models import Desk
from shared.contracts.ticket import TicketEvent
from shared.mongo import Client, database

EXAMPLES = 10


@dataclass
class Comparison:
    """Breaches under the configuration of now and under the other one."""

    tickets: int = 0
    now: list[Breach] = field(default_factory=list)
    then: list[Breach] = field(default_factory=list)

    def groups(self) -> list[dict[str, Any]]:
        """Counts by team and priority."""
        now, then = _counted(self.now), _counted(self.then)
        return [
            {"team": team, "priority": priority, "now": now[name], "then": then[name]}
            for name in sorted(now.keys() | then.keys())
            for team, priority in [name]
        ]

    def examples(self) -> list[dict[str, Any]]:
        """Some clocks that are late under one of them, or at another time, by ticket."""
        now, then = _by_clock(self.now), _by_clock(self.then)
        differing = [name for name in now.keys() | then.keys() if now.get(name) != then.get(name)]
        return [
            {
                "ticket": ticket_id,
                "target": target,
                "cycle": cycle,
                "now_due_at": now.get((ticket_id, target, cycle)),
                "then_due_at": then.get((ticket_id, target, cycle)),
            }
            for ticket_id, target, cycle in sorted(differing, key=_by_number)[:EXAMPLES]
        ]


async def compare(
    client: Client, now: Desk, then: Desk, since: datetime, until: datetime
) -> Comparison:
    """Both configurations over all tickets opened since; nothing is written."""
    history = History(database(client, "tickets"))
    customers = await history.customers()
    terms = [_terms_of(Policies(desk), customers) for desk in (now, then)]
    found = Comparison()
    async for group in history.tickets():
        for events in (await history.events(group)).values():
            told = [event for event, _ in events]
            if told and told[0].state.opened_at >= since:
                _add(found, told, terms, until)
    return found


def _add(
    found: Comparison,
    events: list[TicketEvent],
    terms: list[Callable[[Traits], Terms | None]],
    until: datetime,
) -> None:
    found.tickets += 1
    found.now += breaches(events, terms[0], until)
    found.then += breaches(events, terms[1], until)


def _terms_of(
    policies: Policies, customers: dict[str, Customer]
) -> Callable[[Traits], Terms | None]:
    def terms(traits: Traits) -> Terms | None:
        return policies.terms(traits, customers.get(traits.account_id, Customer()))

    return terms


def _counted(found: Iterable[Breach]) -> Counter[tuple[str, str]]:
    return Counter((breach.team, breach.priority) for breach in found)


def _by_clock(found: Iterable[Breach]) -> dict[tuple[str, str, int], datetime]:
    return {(one.ticket_id, one.target, one.cycle): one.due_at for one in found}


def _by_number(name: tuple[str, str, int]) -> tuple[int, str, int]:
    return int(name[0].removeprefix("T-")), name[1], name[2]
