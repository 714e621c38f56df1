"""What new rows go through before they are stored: caps, and the lease of those sent at once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.notify.domain.limits import caps
from services.notify.due import Desktop
from services.notify.outgoing import Row


async def within_caps(
    rows: Sequence[Row], desktop: Desktop, now: datetime
) -> tuple[list[Row], dict[str, list[int]]]:
    """Rows and the counters to store; a row over a cap is suppressed and says which was full.

    Planned rows are counted when they are written: they can wait.
    """
    limits = {
        row.id: caps(row.mail_class, row.recipient, row.ticket_id, desktop.paper.desk)
        for row in rows
        if row.state != "planned"
    }
    names = {cap.name for some in limits.values() for cap in some}
    counters = await desktop.store.load_counters(names)
    counted = []
    for row in rows:
        full = counters.take(limits.get(row.id, []), now)
        counted.append(_suppressed(row, full.name) if full else row)
    return counted, counters.changed


def lease(rows: Sequence[Row], room: int, owner: str, now: datetime) -> tuple[list[Row], list[Row]]:
    """All rows as they are stored, and those among them that this process sends at once."""
    stored: list[Row] = []
    leased: list[Row] = []
    for row in rows:
        if row.state != "queued":
            stored.append(row)
        elif len(leased) < room:
            leased.append(row.leased(owner, now))
            stored.append(leased[-1])
        else:
            stored.append(row.queued(now))
    return stored, leased


def _suppressed(row: Row, cap: str) -> Row:
    return replace(row, state="suppressed", detail=f"cap: {cap}", raw=b"", text="")
