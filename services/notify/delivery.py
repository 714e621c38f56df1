"""What became of a mail: the row's next state and the record that tells tickets; pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from services.notify.domain.backoff import FIRST_PAUSE, LIFETIME, next_try, relay_pause_s
from services.notify.outgoing import Row
from services.notify.relay import Outcome, relay_message_id
from shared.bus import Outgoing, group
from shared.contracts.base import Meta, Record
from shared.contracts.delivery import RECORDS, MailDeferred, MailFailed, MailSent
from shared.contracts.topics import DELIVERY_EVENTS
from shared.mongo import Document

SOURCE = "postdesk/notify"
_BY_TYPE = {record.model_fields["type"].default: record for record in RECORDS}


@dataclass(frozen=True)
class Delivery:
    """A row after a try, and what there is to tell; ``record`` is None where there is nothing."""

    row: Row
    record: Record | None = None


def settle(
    row: Row, outcome: Outcome, now: datetime, *, first_pause: timedelta = FIRST_PAUSE
) -> Delivery:
    """The row after this outcome; ``first_pause`` follows a mail's first temporary refusal.

    Where nobody knows whether the relay has the mail it is sent again, the same bytes.
    """
    row = row.but(settled_at=now)
    if outcome.result == "sent":
        return _sent(row, outcome, now)
    if outcome.result in {"failed", "suppressed"}:
        ended = given_up(row, outcome.reply, now)
        return replace(ended, row=ended.row.but(state=outcome.result))
    if outcome.result == "deferred":
        return _deferred(row, outcome, now, first_pause)
    if outcome.result == "unreachable":
        # Nobody's fault but the relay's: it is asked until it is back, then all rows go at once.
        return Delivery(row.but(state="queued", next_try_at=now, detail=outcome.reply))
    failures = row.failures + 1
    if now - row.created_at > LIFETIME:
        return given_up(row, outcome.reply, now)
    at = now + timedelta(seconds=relay_pause_s(failures))
    again = row.but(state="queued", failures=failures, next_try_at=at, detail=outcome.reply)
    return Delivery(again)


def given_up(row: Row, reply: str, now: datetime) -> Delivery:
    """A row that nobody will send any more."""
    ended = row.but(state="failed", next_try_at=None, detail=reply, settled_at=now)
    return Delivery(ended, MailFailed(**_facts(row, now), reply=reply[:500]))


def with_text(delivery: Delivery, text_blob: str) -> Delivery:
    """The same, naming the text as sent, so that quotes of it can be taken out of answers."""
    if not isinstance(delivery.record, MailSent):
        return delivery
    return replace(delivery, record=delivery.record.model_copy(update={"text_blob": text_blob}))


def outbox_row(deliveries: Sequence[Delivery], now: datetime) -> Document:
    """One row of the outbox for all; the ids of its parts are those of the records."""
    return group([_part(d.row, d.record) for d in deliveries if d.record is not None], now)


def to_outgoing(part: Document) -> Outgoing:
    """The record of a part of an outbox row."""
    return Outgoing(
        topic=DELIVERY_EVENTS,
        key=part["key"],
        record=_BY_TYPE[part["record"]["type"]].model_validate(part["record"]),
        meta=Meta.model_validate(part["meta"]),
    )


def _sent(row: Row, outcome: Outcome, now: datetime) -> Delivery:
    other = relay_message_id(outcome.reply, row.message_id)
    done = row.but(state="sent", next_try_at=None, detail=outcome.reply)
    return Delivery(done, MailSent(**_facts(row, now), relay_message_id=other))


def _deferred(row: Row, outcome: Outcome, now: datetime, first_pause: timedelta) -> Delivery:
    refusals = row.refusals + 1
    at = next_try(created_at=row.created_at, refusals=refusals, now=now, first_pause=first_pause)
    if at is None:
        return given_up(row, outcome.reply, now)
    later = row.but(state="deferred", refusals=refusals, next_try_at=at, detail=outcome.reply)
    if refusals > 1:
        return Delivery(later)
    record = MailDeferred(**_facts(row, now), reply=outcome.reply[:500], next_try_at=at)
    return Delivery(later, record)


def _facts(row: Row, now: datetime) -> dict[str, Any]:
    return {
        "outgoing_id": row.id,
        "ticket_id": row.ticket_id or None,
        "kind": row.kind,
        "recipient": row.recipient,
        "message_id": row.message_id,
        "cause": row.event_id,
        "at": now,
    }


def _part(row: Row, record: Record) -> Document:
    name = f"{row.id}.{record.type.removeprefix('mail.')}"
    meta = Meta(
        id=name,
        source=SOURCE,
        time=record.at
        if isinstance(record, MailSent | MailDeferred | MailFailed)
        else row.created_at,
        subject=row.ticket_id,
        correlation_id=row.correlation_id,
        causation_id=row.event_id,
    )
    return {
        "_id": name,
        "key": row.ticket_id or row.recipient,
        "record": record.model_dump(),
        "meta": meta.model_dump(),
    }
