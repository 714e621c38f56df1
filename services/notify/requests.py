"""Handler of mail-requests: receipts, answers and reports become rows with their bytes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.notify.domain import wire
from services.notify.domain.headers import MailClass
from services.notify.domain.planning import Kind
from services.notify.domain.view import TicketView
from services.notify.due import Desktop, kept
from services.notify.files import load_files
from services.notify.filing import lease, within_caps
from services.notify.outgoing import Row, outgoing_id
from services.notify.results import Results
from services.notify.stationery import Errand, Letter
from shared.bus import PermanentError, Received
from shared.contracts.requests import AnswerMail, CommandReceipt, ReportMail
from shared.mongo import Session, transaction

Request = CommandReceipt | AnswerMail | ReportMail
_KINDS: dict[str, tuple[Kind, MailClass]] = {
    "mail-request.receipt": ("receipt", "result"),
    "mail-request.answer": ("answer", "result"),
    "mail-request.report": ("report", "digest"),
}


@dataclass(frozen=True)
class RequestHandler:
    """Writes each mail that is asked for once, whatever is read twice."""

    desktop: Desktop
    results: Results

    async def on_requests(self, received: list[Received[Any]]) -> None:
        """Put the mails into the ledger and send them."""
        desktop, now = self.desktop, self.desktop.clock.now()
        rows = {row.id: (row, one) for one in received for row in [_row(one, now)]}
        known = await desktop.ledger.known(list(rows))
        asked = [one.record.ticket_id for one in received if _has_ticket(one.record)]
        views = await desktop.store.views(filter(None, asked))
        new = [
            await self._written(row, one.record, views, now)
            for row, one in rows.values()
            if row.id not in known
        ]
        if not new:
            return
        desk, store, ledger = desktop.paper.desk, desktop.store, desktop.ledger
        counted, counts = await within_caps(new, desk, store, ledger, now)
        stored, leased = lease(counted, desktop.sender.room, desktop.owner, now)

        alive = {
            one.record.to: None
            for one in received
            if not isinstance(one.record, ReportMail) and desktop.dead.knows(one.record.to)
        }  # who asks for something by mail writes mail

        async def work(session: Session) -> None:
            await ledger.add(stored, session)
            await store.save_counts(counts, now, session)
            await desktop.dead.save(alive, session)

        await transaction(desktop.client, work)
        desktop.dead.learn(alive)
        desktop.sender.offer(leased)

    async def _written(
        self, row: Row, request: Request, views: dict[str, TicketView], now: datetime
    ) -> Row:
        if not wire.is_sendable(request.to):
            raise PermanentError("the recipient's address cannot be written to")
        view = views.get(row.ticket_id)
        letter = await self._letter(row, request, view, now)
        return await kept(row, letter, self.desktop.blobs)

    async def _letter(
        self, row: Row, request: Request, view: TicketView | None, now: datetime
    ) -> Letter:
        version = 0 if isinstance(request, ReportMail) else request.ticket_version
        errand = Errand(
            outgoing_id=row.id,
            event_id=request.request_id,
            mail_class=row.mail_class,
            reason=row.kind,
            recipient=request.to,
            box=self.desktop.paper.box(view.state.mailbox if view else ""),
            ticket_id=row.ticket_id,
            seq=version or (view.state.seq if view else 0),
            now=now,
        )
        match request:
            case CommandReceipt():
                reader = self.desktop.letters.reader(request.to, request.language)
                return self.results.receipt(errand, request, view, reader)
            case AnswerMail():
                return self.results.answer(errand, request, view)
            case ReportMail():
                html = await self.desktop.blobs.get(request.html_blob)
                files = await load_files(
                    self.desktop.blobs, request.attachments, with_pictures=True
                )
                return self.results.report(errand, request, html, files)


def _has_ticket(request: Request) -> bool:
    return not isinstance(request, ReportMail) and bool(request.ticket_id)


def row_id(kind_of_request: str, request_id: str, to: str) -> str:
    """The id of the row that a request of this record type becomes."""
    return outgoing_id(request_id, to, _KINDS[kind_of_request][0])


def _row(one: Received[Any], now: datetime) -> Row:
    request: Request = one.record
    kind, mail_class = _KINDS[request.type]
    return Row(
        id=row_id(request.type, request.request_id, request.to),
        kind=kind,
        mail_class=mail_class,
        reason=kind,
        recipient=request.to,
        ticket_id="" if isinstance(request, ReportMail) else request.ticket_id or "",
        event_id=request.request_id,
        correlation_id=one.meta.correlation_id or one.meta.id,
        seq=0,
        created_at=now,
    )
