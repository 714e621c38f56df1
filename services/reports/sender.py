"""Sends reports: the scheduled ones, each month once to each recipient, and those asked for."""

from collections.abc import Awaitable, Callable
from hashlib import sha256
from zoneinfo import ZoneInfo

import structlog

from services.reports.composing import Composed, ReportFile, compose, figures
from services.reports.domain.months import Month
from services.reports.schedule import due_months
from services.reports.store import Store
from shared.blobs import Blobs
from shared.bus import Outgoing
from shared.clock import Clock
from shared.config.mailing import Report
from shared.config.models import Desk
from shared.contracts.base import Attachment, Meta
from shared.contracts.requests import ReportMail
from shared.contracts.topics import MAIL_REQUESTS
from shared.mongo import Document

SOURCE = "postdesk/reports"
OWNER = "report"
"""Owner of the blobs of reports is this, kind and month."""

_log = structlog.get_logger(__name__)


class Sender:
    """Looks for what is to be sent, again and again; each look does all that is due."""

    def __init__(
        self,
        *,
        store: Store,
        blobs: Blobs,
        desk: Desk,
        clock: Clock,
        wake: Callable[[], None],
        is_settled: Callable[[], Awaitable[bool]],
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._desk = desk
        self._clock = clock
        self._wake = wake
        self._is_settled = is_settled

    async def look(self) -> None:
        """Send what is due and what was asked for."""
        await self._fulfil_wishes()
        for report in self._desk.reports:
            for to in report.to:
                await self._send_due(report, to)

    async def _send_due(self, report: Report, to: str) -> None:
        now = self._clock.now()
        zone = ZoneInfo(report.timezone)
        recipient = sha256(to.encode()).hexdigest()[:16]
        first_seen = await self._store.first_seen(f"{report.kind}.{recipient}", now)
        for month in due_months(first_seen, now, zone):
            request_id = f"report.{report.kind}.{month}.{recipient}"
            if not await self._store.is_sent(request_id) and await self._is_settled():
                await self._send(request_id, month, zone, to)

    async def _fulfil_wishes(self) -> None:
        for wish in await self._store.asked():
            try:
                month, zone = Month.parse(wish["month"]), ZoneInfo(wish["zone"])
            except (ValueError, KeyError) as error:
                await self._store.give_up(wish["_id"], str(error), self._clock.now())
                continue
            request_id = f"report.asked.{wish['_id']}"
            await self._send(request_id, month, zone, wish["to"], asked_id=wish["_id"])

    async def _send(
        self, request_id: str, month: Month, zone: ZoneInfo, to: str, *, asked_id: str = ""
    ) -> None:
        composed = await compose(await figures(self._store, self._desk, month, zone), self._desk)
        mail = await self._mail(request_id, composed, f"{OWNER}-monthly-{month}", to)
        row = {
            "_id": request_id,
            "to": to,
            "data": mail.model_dump_json(),
            "queued_at": self._clock.now(),
        }
        is_new = await self._store.put_out(request_id, row, asked_id)
        if is_new:
            self._wake()
        _log.info("report", request_id=request_id, month=str(month), sent=is_new)

    async def _mail(self, request_id: str, composed: Composed, owner: str, to: str) -> ReportMail:
        contents = [composed.html.encode(), *(file.data for file in composed.files)]
        html_blob, *blobs = await self._blobs.put_many(owner, contents)
        files = zip(composed.files, blobs, strict=True)
        agent = self._desk.agents_by_address.get(to)
        return ReportMail(
            request_id=request_id,
            to=to,
            language=agent.language if agent else self._desk.language,
            subject=composed.subject,
            text=composed.text,
            html_blob=html_blob,
            attachments=[_attachment(file, blob) for file, blob in files],
        )


def outgoing(row: Document) -> Outgoing:
    """The record of an outbox row."""
    mail = ReportMail.model_validate_json(row["data"])
    meta = Meta(id=row["_id"], source=SOURCE, time=row["queued_at"], correlation_id=mail.request_id)
    return Outgoing(topic=MAIL_REQUESTS, key=mail.to, record=mail, meta=meta)


def _attachment(file: ReportFile, blob: str) -> Attachment:
    return Attachment(
        name=file.name,
        content_type=file.content_type,
        size_bytes=len(file.data),
        blob=blob,
        content_id=file.content_id,
        inline=bool(file.content_id),
    )
