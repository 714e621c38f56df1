"""Rebuilds the read model from the history of tickets, also while the service runs."""

from collections.abc import Mapping, Sequence

from services.reports.domain.rows import TicketRow
from services.reports.handlers import Rows
from services.reports.projections import Projected, project
from shared.contracts.ticket import TicketEvent


async def rebuild(store: Rows, histories: Mapping[str, Sequence[TicketEvent]]) -> list[str]:
    """Replace the rows of these tickets; give those that reports knows more of by now.

    ``histories`` has all events of each ticket from the first one on, in order. What is given is
    left as it was: give it again with the newer events. The same again changes nothing.
    """
    rebuilt = {ticket_id: _projected(events) for ticket_id, events in histories.items() if events}
    behind: list[str] = []

    def decide(rows: Mapping[str, TicketRow]) -> list[Projected]:
        behind[:] = [i for i, one in rebuilt.items() if i in rows and rows[i].seq > one.row.seq]
        return [one for ticket_id, one in rebuilt.items() if ticket_id not in behind]

    await store.change(rebuilt, decide)
    return behind


def _projected(events: Sequence[TicketEvent]) -> Projected:
    first, *others = events
    last = project(None, first)
    work = [*last.work]
    for event in others:
        last = project(last.row, event)
        work += last.work
    return Projected(last.row, tuple(work))
