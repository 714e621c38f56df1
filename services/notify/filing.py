"""What new rows go through before they are stored: caps, and the lease of those sent at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.notify.domain.limits import HOUR, Cap, Counters, Counts, caps, tally
from services.notify.outgoing import Ledger, Row
from services.notify.store import Store
from shared.config.models import Desk

Changed = Mapping[str, dict[str, Counts]]


async def within_caps(
    rows: Sequence[Row], desk: Desk, store: Store, ledger: Ledger, now: datetime
) -> tuple[list[Row], Changed]:
    """Rows and the counts to store; a row over a cap is suppressed and says which was full.

    Planned rows are counted when they are written: they can wait.
    """
    limits = {
        row.id: caps(row.mail_class, row.recipient, row.ticket_id, desk)
        for row in rows
        if row.state != "planned"
    }
    wanted = [cap for some in limits.values() for cap in some]
    told = await ledger.told({cap.ticket_id for cap in wanted if cap.ticket_id}, now - HOUR)
    counters = await counters_of(wanted, told, store)
    counted = []
    for row in rows:
        full = counters.take(limits.get(row.id, []), now)
        counted.append(_suppressed(row, full.name) if full else row)
    return counted, counters.changed


async def counters_of(wanted: Sequence[Cap], told: Sequence[Row], store: Store) -> Counters:
    """What counts under these caps; ``told`` has the latest mails about their tickets."""
    counts = await store.counts({cap.place for cap in wanted if not cap.ticket_id})
    for cap in wanted:
        if cap.ticket_id and cap.place not in counts:
            mails = [r for r in told if (r.ticket_id, r.recipient) == (cap.ticket_id, cap.key)]
            counts[cap.place] = {cap.kind: tally(sorted(row.created_at for row in mails))}
    return Counters(counts)


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
    return row.but(state="suppressed", detail=f"cap: {cap}", raw=b"", text="")
