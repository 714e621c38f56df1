"""One function for each topic that sla reads: load, follow, save."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from services.sla import documents
from services.sla.domain.case import IRRELEVANT, Case, follow
from services.sla.domain.clock import TicketClock, as_told
from services.sla.domain.policy import Policies, Terms
from services.sla.store import Changes
from shared.bus import Received
from shared.clock import Clock
from shared.contracts.directory import Account
from shared.contracts.sla import ClocksChanged
from shared.contracts.ticket import TicketEvent

MOST_CLOCKS = 20

Batch = Sequence[Received[Any]]


class Cases(Protocol):
    """The part of the store that handlers need."""

    async def change(
        self,
        ticket_ids: Collection[str],
        now: datetime,
        decide: Callable[[Mapping[str, Case]], Changes],
    ) -> Changes:
        """Load, decide and save in one transaction."""
        ...

    async def segments(self, account_ids: Collection[str]) -> dict[str, str]:
        """Segments by account id."""
        ...

    async def note_accounts(self, segments: Mapping[str, str | None]) -> None:
        """Remember segments."""
        ...


class Handlers:
    """Turns ticket events into clocks, and keeps the segments that choose their policies."""

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
        accounts = {one.record.state.account_id for one in relevant} - {""}
        segments = await self._store.segments(accounts) if accounts else {}
        changes = await self._store.change(
            {one.record.ticket_id for one in relevant},
            self._clock.now(),
            lambda cases: self._follow_all(relevant, cases, segments),
        )
        if changes.rows:
            self._wake()

    async def on_directory(self, batch: Batch) -> None:
        """Remember the segments of accounts; the next event of a ticket applies them."""
        segments: dict[str, str | None] = {}
        for one in batch:
            kind, _, account_id = one.key.partition(":")
            if isinstance(one.record, Account):
                segments[one.record.id] = one.record.segment
            elif one.record is None and kind == "account":
                segments[account_id] = None
        await self._store.note_accounts(segments)

    def _follow_all(
        self, batch: Batch, before: Mapping[str, Case], segments: Mapping[str, str]
    ) -> Changes:
        after: dict[str, Case] = dict(before)
        last: dict[str, Received[Any]] = {}
        for one in batch:
            event: TicketEvent = one.record
            known = after.get(event.ticket_id)
            terms = self._terms(event, segments)
            case = follow(known, event, terms, self._policies.pause_on)
            if case is not known:
                after[event.ticket_id], last[event.ticket_id] = case, one
        rows = [
            documents.changed_row(self._news(after[ticket_id], one.record, segments), one.meta)
            for ticket_id, one in last.items()
            if after[ticket_id].clocks != _clocks_of(before, ticket_id)
        ]
        return Changes(cases=[after[ticket_id] for ticket_id in last], rows=rows)

    def _terms(self, event: TicketEvent, segments: Mapping[str, str]) -> Terms | None:
        segment = segments.get(event.state.account_id, "")
        return self._policies.terms(segment=segment, priority=event.state.priority)

    def _news(self, case: Case, event: TicketEvent, segments: Mapping[str, str]) -> ClocksChanged:
        """All clocks as of the event; of very many the latest, open ones first."""
        calendar = self._policies.calendar_of(self._terms(event, segments))
        newest = sorted(case.clocks, key=lambda clock: clock.is_open)[-MOST_CLOCKS:]
        return ClocksChanged(
            ticket_id=case.ticket_id,
            ticket_seq=case.seq,
            clocks=[as_told(clock, event.at, calendar) for clock in newest],
        )


def _clocks_of(cases: Mapping[str, Case], ticket_id: str) -> tuple[TicketClock, ...]:
    known = cases.get(ticket_id)
    return known.clocks if known else ()
