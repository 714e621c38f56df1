"""One function for each topic: load, decide, save; a batch is stored whole or not at all."""

from collections.abc import Callable, Mapping
from collections.abc import Collection as Many
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from services.notify.dead import fates
from services.notify.delivery import Delivery, given_up, outbox_row
from services.notify.domain import wire
from services.notify.domain.planning import Planned, after_quiet_hours, plan, remember, wait
from services.notify.domain.view import TicketView, evolve
from services.notify.due import Desktop, kept
from services.notify.files import load_files
from services.notify.filing import lease, within_caps
from services.notify.outgoing import Row, outgoing_id
from services.notify.stationery import Errand, Letter
from shared import metrics
from shared.bus import Received
from shared.contracts.ticket import ClocksUpdated, MessageAdded, TicketEvent
from shared.mongo import Collection, Session, transaction

UNSENDABLE = "the address needs an extension (SMTPUTF8) that is not used here"


@dataclass
class Batch:
    """What the events of one batch add up to."""

    views: dict[str, TicketView]
    loaded: Mapping[str, int]
    changed: dict[str, TicketView] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    released: set[str] = field(default_factory=set)
    failed: list[Delivery] = field(default_factory=list)
    news: list[TicketEvent] = field(default_factory=list)

    @classmethod
    def of(cls, views: dict[str, TicketView]) -> "Batch":
        """Begin with the views that exist."""
        return cls(views, {name: view.state.seq for name, view in views.items()})

    def keep(self, view: TicketView) -> None:
        """The newest view of its ticket."""
        self.views[view.ticket_id] = self.changed[view.ticket_id] = view

    def release(self, ticket_id: str, now: datetime) -> None:
        """The clocks are known: what waits for them waits no longer."""
        self.released.add(ticket_id)
        self.rows = [
            row.but(not_before=now, until_clocks=False)
            if row.until_clocks and row.ticket_id == ticket_id
            else row
            for row in self.rows
        ]


class Handlers:
    """Handlers of ticket-events and directory."""

    def __init__(
        self,
        desktop: Desktop,
        outbox: Collection,
        *,
        wake_notices: Callable[[Many[str]], None],
        wake_outbox: Callable[[], None],
    ) -> None:
        self._desktop = desktop
        self._outbox = outbox
        self._wake_notices = wake_notices
        self._wake_outbox = wake_outbox

    async def on_directory(self, received: list[Received[Any]]) -> None:
        """Keep the newest of each entry."""
        await self._desktop.store.keep_directory([(r.key, r.record) for r in received])

    async def on_ticket_events(self, received: list[Received[Any]]) -> None:
        """Bring the views up to date and put the mails that follow into the ledger."""
        now = self._desktop.clock.now()
        with metrics.stage("load"):
            batch = Batch.of(await self._desktop.store.views(r.record.ticket_id for r in received))
        with metrics.stage("write"):
            for one in received:
                await self._take(batch, one, now)
        if batch.changed:
            await self._save(batch, now)

    async def _take(self, batch: Batch, one: Received[Any], now: datetime) -> None:
        event: TicketEvent = one.record
        known = batch.views.get(event.ticket_id)
        if known and event.seq <= known.state.seq:
            return
        view = evolve(known, event)
        desk = self._desktop.paper.desk
        batch.news.append(event)
        planned = [wait(p, view, desk) for p in plan(event, view, desk)]
        view = remember(view, planned)
        if isinstance(event, ClocksUpdated):
            batch.release(event.ticket_id, now)
        for mail in planned:
            row = _row(one, mail, now)
            if mail.collects:
                soon = now + timedelta(seconds=mail.wait_s)
                due = after_quiet_hours(soon, mail.recipient, desk) if mail.keeps_quiet else soon
                waiting = row.but(state="planned", not_before=due)
                batch.rows.append(waiting.but(until_clocks=mail.until_clocks and due == soon))
            elif not wire.is_sendable(mail.recipient):
                batch.failed.append(given_up(row, UNSENDABLE, now))
            else:
                letter = await self._letter(one, mail, row, view, now)
                batch.rows.append(await kept(row, letter, self._desktop.blobs))
                thread = view.thread(mail.recipient).with_ids([letter.message_id])
                view = view.with_thread(mail.recipient, thread)
        batch.keep(view)

    async def _letter(
        self, one: Received[Any], mail: Planned, row: Row, view: TicketView, now: datetime
    ) -> Letter:
        event, letters = one.record, self._desktop.letters
        errand = Errand(
            outgoing_id=row.id,
            event_id=one.meta.id,
            mail_class=mail.mail_class,
            reason=mail.reason,
            recipient=mail.recipient,
            box=self._desktop.paper.box(view.state.mailbox),
            ticket_id=view.ticket_id,
            seq=event.seq,
            now=now,
        )
        if mail.kind == "acknowledgement":
            questions = event.questions if isinstance(event, MessageAdded) else ()
            return letters.acknowledgement(errand, view, questions)
        attached = event.message.attachments if isinstance(event, MessageAdded) else []
        files = await load_files(self._desktop.blobs, attached)
        return letters.answer(errand, mail.kind, event, view, files)

    async def _save(self, batch: Batch, now: datetime) -> None:
        desktop = self._desktop
        desk, store, ledger = desktop.paper.desk, desktop.store, desktop.ledger
        rows, counts = await within_caps(batch.rows, desk, store, ledger, now)
        rows, leased = lease(rows, desktop.sender.room, desktop.owner, now)
        failed = [delivery.row for delivery in batch.failed]
        fate = await fates(batch.news, desktop.dead, ledger, now)

        async def work(session: Session) -> None:
            await store.save_views(batch.changed.values(), batch.loaded, session)
            await ledger.add([*rows, *failed], session)
            await store.save_counts(counts, now, session)
            await ledger.mark_bounced(fate.bounced, session)
            await desktop.dead.save(fate.addresses, session)
            if batch.failed:
                await self._outbox.insert_one(outbox_row(batch.failed, now), session=session)

        with metrics.stage("save"):
            await transaction(desktop.client, work)
        desktop.dead.learn(fate.addresses)
        desktop.sender.offer(leased)
        if batch.failed:
            self._wake_outbox()
        if batch.released or any(row.state == "planned" for row in rows):
            self._wake_notices(batch.released)


def _row(one: Received[Any], mail: Planned, now: datetime) -> Row:
    return Row(
        id=outgoing_id(one.meta.id, mail.recipient, mail.kind),
        kind=mail.kind,
        mail_class=mail.mail_class,
        reason=mail.reason,
        recipient=mail.recipient,
        ticket_id=one.record.ticket_id,
        event_id=one.meta.id,
        correlation_id=one.meta.correlation_id,
        seq=one.record.seq,
        created_at=now,
    )
