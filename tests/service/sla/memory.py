"""sla's store in memory: what the real one promises, without a database."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from services.sla import documents
from services.sla.domain.case import Case
from services.sla.domain.clock import at_which, fired
from services.sla.domain.policy import Customer
from services.sla.store import Changes, Loaded


class MemoryStore:
    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}
        self.accounts: dict[str, Customer] = {}
        self.marked: set[str] = set()
        self.delays: dict[str, datetime] = {}
        self.outbox: list[dict[str, Any]] = []

    async def change(
        self,
        ticket_ids: Collection[str],
        account_ids: Collection[str],
        now: datetime,
        decide: Callable[[Loaded], Changes],
    ) -> Changes:
        cases = {i: self.cases[i] for i in ticket_ids if i in self.cases}
        wanted = {*account_ids, *(case.traits.account_id for case in cases.values())}
        customers = {i: self.accounts[i] for i in wanted if i in self.accounts}
        changes = decide(Loaded(cases, customers))
        self.marked -= {case.ticket_id for case in changes.cases}
        for case in changes.cases:
            known = cases.get(case.ticket_id)
            if case.delayed_until != (known.delayed_until if known else None):
                self.delays.pop(case.ticket_id, None)
                if case.delayed_until:
                    self.delays[case.ticket_id] = case.delayed_until
        self.cases |= {case.ticket_id: case for case in changes.cases}
        self.outbox += documents.queued(list(changes.rows), now)
        return changes

    async def fire(self, now: datetime, limit: int) -> int:
        due = [
            (c.next_at, c.id, c) for case in self.cases.values() for c in case.clocks if c.next_at
        ]
        claimed = [clock for at, _, clock in sorted(due, key=lambda d: d[:2]) if at <= now][:limit]
        until = claimed[-1].next_at if len(claimed) == limit else now
        news = []
        for clock in claimed:
            after, told = fired(clock, now, until)
            case = self.cases[clock.ticket_id]
            clocks = tuple(after if c.id == clock.id else c for c in case.clocks)
            self.cases[case.ticket_id] = Case(**{**vars(case), "clocks": clocks})
            news += told
        ended = [ticket_id for ticket_id, until in self.delays.items() if until <= now]
        for ticket_id in ended:
            delay = documents.delay_document(ticket_id, self.delays.pop(ticket_id))
            news.append(documents.delay_ended(delay, now))
        rows = [documents.fired_row(told) for told in sorted(news, key=at_which)]
        self.outbox += documents.queued(rows, now)
        return len(claimed) + len(ended)

    async def next_at(self) -> datetime | None:
        times = [c.next_at for case in self.cases.values() for c in case.clocks if c.next_at]
        return min([*times, *self.delays.values()], default=None)

    async def stale(self, limit: int) -> list[str]:
        return sorted(self.marked)[:limit]

    async def note_accounts(self, customers: Mapping[str, Customer | None]) -> None:
        for account_id, customer in customers.items():
            if (customer or Customer()) != self.accounts.get(account_id, Customer()):
                mine = [c for c in self.cases.values() if c.traits.account_id == account_id]
                self.marked |= {case.ticket_id for case in mine if case.is_open}
            if customer is None:
                self.accounts.pop(account_id, None)
            else:
                self.accounts[account_id] = customer

    async def customers(self, account_ids: Collection[str]) -> dict[str, Customer]:
        return {i: self.accounts[i] for i in account_ids if i in self.accounts}

    async def told(self, names: Collection[str]) -> set[str]:
        return {row["_id"] for row in self.outbox} & set(names)

    async def forget(self, ticket_ids: Collection[str]) -> None:
        for ticket_id in ticket_ids:
            self.cases.pop(ticket_id, None)

    async def state(self) -> Any:
        return self.cases

    async def rows(self) -> list[dict[str, Any]]:
        return self.outbox
