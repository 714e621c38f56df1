"""One function for each topic that reports reads: load, project, save."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from services.reports.domain.rows import TicketRow
from services.reports.projections import Projected, project
from shared.bus import Received


class Rows(Protocol):
    """The part of the store that handlers need."""

    async def change(
        self,
        ticket_ids: Collection[str],
        decide: Callable[[Mapping[str, TicketRow]], Sequence[Projected]],
    ) -> None:
        """Load, decide and save in one transaction."""
        ...


class Handlers:
    """Keeps the read model."""

    def __init__(self, store: Rows) -> None:
        self._store = store

    async def on_ticket_events(self, batch: Sequence[Received[Any]]) -> None:
        """Apply each event once, in order; the batch is stored whole or not at all."""
        ticket_ids = {one.record.ticket_id for one in batch}
        await self._store.change(ticket_ids, lambda rows: _project_all(batch, rows))


def _project_all(
    batch: Sequence[Received[Any]], before: Mapping[str, TicketRow]
) -> list[Projected]:
    rows = dict(before)
    projected = []
    for one in batch:
        result = project(rows.get(one.record.ticket_id), one.record)
        rows[one.record.ticket_id] = result.row
        projected.append(result)
    return projected
