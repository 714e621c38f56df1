"""One function for each topic that sla reads: load, follow, save."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from services.sla import documents
from services.sla.domain.case import IRRELEVANT, Case, follow, refitted, traits_of
from services.sla.domain.clock import TicketClock, Told, as_told, overlooked
from services.sla.domain.policy import Customer, Policies, Terms, Traits
from services.sla.store import Changes, Loaded
from shared.bus import Received
from shared.clock import Clock
from shared.contracts.directory import Account
from shared.contracts.sla import ClocksChanged
from shared.contracts.ticket import TicketEvent
from shared.mongo import Document

MOST_CLOCKS = 20
BATCH = 200

Batch = Sequence[Received[Any]]


class Cases(Protocol):
    """The part of the store that handlers need."""

    async def change(
        self,
        ticket_ids: Collection[str],
        account_ids: Collection[str],
        now: datetime,
        decide: Callable[[Loaded], Changes],
    ) -> Changes:
        """Load, decide and save in one transaction."""
        ...

    async def note_accounts(self, customers: Mapping[str, Customer | None]) -> None:
        """Remember customers and mark the cases that they concern."""
        ...

    async def stale(self, limit: int) -> list[str]:
        """Tickets of marked cases."""
        ...


class Handlers:
    """Turns ticket events into clocks, and keeps what of customers chooses their policies."""

    def __init__(
        self, *, store: Cases, policies: Policies, clock: Clock, wake: Callable[[], None]
    ) -> None:
        self._store = store
        self._policies = policies
        self._clock = clock
        self._wake = wake

    async def on_ticket_events(self, batch: Batch) -> None:
        """Follow each ticket and tell once for each batch what its clocks are now."""
        relevant = [one for one in batch if not isinstance(one.record, IRRELEVANT)]
        if not relevant:
            return
        changes = await self._store.change(
            {one.record.ticket_id for one in relevant},
            {one.record.state.account_id for one in relevant},
            self._clock.now(),
            lambda loaded: self._follow_all(relevant, loaded),
        )
        if changes.rows:
            self._wake()

    async def on_directory(self, batch: Batch) -> None:
        """Remember segment and zone of accounts; `refit_all` applies them to open tickets."""
        customers: dict[str, Customer | None] = {}
        for one in batch:
            kind, _, account_id = one.key.partition(":")
            if isinstance(one.record, Account):
                account = one.record
                customers[account.id] = Customer.of(account.segment, account.timezone)
            elif one.record is None and kind == "account":
                customers[account_id] = None
        await self._store.note_accounts(customers)

    async def refit_all(self) -> None:
        """Bring all marked cases under the terms of now, a batch at a time."""
        while await self.refit():
            pass

    async def refit(self) -> int:
        """Bring some marked cases under the terms of now; give how many."""
        ticket_ids = await self._store.stale(BATCH)
        if ticket_ids:
            now = self._clock.now()
            changes = await self._store.change(
                ticket_ids, (), now, lambda loaded: self._refit_each(loaded, now)
            )
            if changes.rows:
                self._wake()
        return len(ticket_ids)

    def _refit_each(self, loaded: Loaded, now: datetime) -> Changes:
        cases: list[Case] = []
        rows: list[Document] = []
        for before in loaded.cases.values():
            terms = self._terms(before.traits, loaded.customers)
            after = refitted(before, now, terms)
            cases.append(after)
            if after is not before:
                news = news_of(after, now, self._policies)
                rows.append(documents.refitted_row(news, now))
        return Changes(cases, rows)

    def _follow_all(self, batch: Batch, loaded: Loaded) -> Changes:
        before = loaded.cases
        after: dict[str, Case] = dict(before)
        last: dict[str, Received[Any]] = {}
        for one in batch:
            event: TicketEvent = one.record
            known = after.get(event.ticket_id)
            terms = self._terms_of(event, loaded)
            case = follow(known, event, terms)
            if case is not known:
                after[event.ticket_id], last[event.ticket_id] = case, one
        rows = [
            documents.changed_row(
                news_of(after[ticket_id], one.record.at, self._policies), one.meta
            )
            for ticket_id, one in last.items()
            if after[ticket_id].clocks != _clocks_of(before, ticket_id)
        ]
        late = [
            documents.fired_row(news)
            for ticket_id in last
            for news in _overlooked(before.get(ticket_id), after[ticket_id], self._clock.now())
        ]
        return Changes(cases=[after[ticket_id] for ticket_id in last], rows=[*late, *rows])

    def _terms_of(self, event: TicketEvent, loaded: Loaded) -> Terms | None:
        return self._terms(traits_of(event), loaded.customers)

    def _terms(self, traits: Traits, customers: Mapping[str, Customer]) -> Terms | None:
        return self._policies.terms(traits, customers.get(traits.account_id, Customer()))


def news_of(case: Case, as_of: datetime, policies: Policies) -> ClocksChanged:
    """All clocks as of then; of very many the latest, open ones first."""
    newest = sorted(case.clocks, key=lambda clock: clock.is_open)[-MOST_CLOCKS:]
    return ClocksChanged(
        ticket_id=case.ticket_id,
        ticket_seq=case.seq,
        clocks=[
            as_told(clock, as_of, policies.measure(clock.calendar, clock.timezone))
            for clock in newest
        ],
    )


def _overlooked(before: Case | None, after: Case, now: datetime) -> list[Told]:
    known = {clock.id: clock for clock in before.clocks} if before else {}
    return [news for clock in after.clocks for news in overlooked(known.get(clock.id), clock, now)]


def _clocks_of(cases: Mapping[str, Case], ticket_id: str) -> tuple[TicketClock, ...]:
    known = cases.get(ticket_id)
    return known.clocks if known else ()
