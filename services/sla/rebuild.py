"""Rebuilds cases and clocks from the history of tickets, also while the service runs.

Nothing is thrown away first: a case is replaced by what follows from its events, in a transaction,
unless the service has read further meanwhile.
"""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol

from services.sla import documents
from services.sla.domain.case import Case
from services.sla.domain.policy import Customer, Policies, Terms, Traits
from services.sla.domain.replay import (
    Replayed,
    having_told,
    names_told,
    possible_names,
    replayed,
)
from services.sla.handlers import Cases, news_of
from services.sla.store import Changes, Loaded
from shared.clock import Clock
from shared.contracts.base import Meta
from shared.contracts.ticket import TicketEvent
from shared.mongo import Document


@dataclass(frozen=True)
class History:
    """All events of a ticket with their attributes, from the first one on, in order.

    ``clocks_seq`` is the event up to which tickets was told of the ticket's clocks.
    """

    events: Sequence[tuple[TicketEvent, Meta]]
    clocks_seq: int


class Kept(Cases, Protocol):
    """The part of the store that rebuilding needs."""

    async def customers(self, account_ids: Collection[str]) -> dict[str, Customer]:
        """What is known of the customers of these accounts."""
        ...

    async def told(self, names: Collection[str]) -> set[str]:
        """Which of these records sla has told, as far as it still knows."""
        ...


class Rebuilder:
    """Applies the policies of now, and what sla has stored of customers, to the whole past."""

    def __init__(self, *, store: Kept, policies: Policies, clock: Clock) -> None:
        self._store = store
        self._policies = policies
        self._clock = clock

    async def rebuild(self, histories: Mapping[str, History]) -> list[str]:
        """Replace the cases of these tickets; give those that sla knows more of by now.

        Those are left as they were: give them again with the newer events. What clocks have told
        is not told again, and tickets hears of clocks that it cannot know yet. The same again
        changes nothing.
        """
        states = [event.state for one in histories.values() for event, _ in one.events]
        accounts = {state.account_id for state in states} - {""}
        customers = await self._store.customers(accounts)
        cases = self._replayed(histories, customers)
        told = await self._store.told(_names(cases))
        behind: list[str] = []

        def decide(loaded: Loaded) -> Changes:
            is_same = all(loaded.customers.get(a) == customers.get(a) for a in accounts)
            current = _current(cases, loaded) if is_same else {}
            behind[:] = cases.keys() - current.keys()
            known = {name for case in loaded.cases.values() for name in names_told(case)}
            return Changes(
                [having_told(one.case, told | known) for one in current.values()],
                self._news(current, histories, loaded, told),
            )

        await self._store.change(cases, accounts, self._clock.now(), decide)
        return behind

    def _replayed(
        self, histories: Mapping[str, History], customers: Mapping[str, Customer]
    ) -> dict[str, Replayed]:
        def terms_of(traits: Traits) -> Terms | None:
            return self._policies.terms(traits, customers.get(traits.account_id, Customer()))

        found = {}
        for ticket_id, history in histories.items():
            events = (event for event, _ in history.events)
            result = replayed(events, terms_of)
            if result:
                found[ticket_id] = result
        return found

    def _news(
        self,
        current: Mapping[str, Replayed],
        histories: Mapping[str, History],
        loaded: Loaded,
        told: AbstractSet[str],
    ) -> list[Document]:
        """Rows of the clocks of which tickets was not told and is not about to be."""
        rows = []
        for ticket_id, one in current.items():
            before = loaded.cases.get(ticket_id)
            known_seq = max(before.seq if before else 0, histories[ticket_id].clocks_seq)
            if known_seq < one.changed_seq and told.isdisjoint(_changed_names(one)):
                rows.append(self._changed_row(one.case, histories[ticket_id]))
        return rows

    def _changed_row(self, case: Case, history: History) -> Document:
        event, meta = next(one for one in history.events if one[0].seq == case.seq)
        return documents.changed_row(news_of(case, event.at, self._policies), meta)


def _current(cases: Mapping[str, Replayed], loaded: Loaded) -> dict[str, Replayed]:
    """Those that sla knows no more of."""
    return {
        ticket_id: one
        for ticket_id, one in cases.items()
        if ticket_id not in loaded.cases or loaded.cases[ticket_id].seq <= one.case.seq
    }


def _changed_names(one: Replayed) -> set[str]:
    """The ids under which the service may have told of the clocks, whatever its batches were."""
    return {
        documents.changed_name(one.case.ticket_id, seq)
        for seq in range(one.changed_seq, one.case.seq + 1)
    }


def _names(cases: Mapping[str, Replayed]) -> set[str]:
    return {
        name for one in cases.values() for name in possible_names(one.case) | _changed_names(one)
    }
