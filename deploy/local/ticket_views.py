"""Tickets as the command line shows them, read from what the tickets service has stored."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from deploy.local.errors import StackError
from shared import mongo
from shared.contracts.ticket_state import TicketState

_NOT_DATA = ("type", "version", "ticket_id", "seq", "at", "by", "configuration", "state")
_TEXTS = {"text": 0, "reply_text": 0}


async def one(database: mongo.Database, ticket_id: str, *, now: datetime) -> dict[str, Any]:
    """The ticket with all its messages and events; raises StackError for an unknown one."""
    ticket_id = f"T-{ticket_id.upper().removeprefix('T-')}"
    found = await _views(database, {"_id": ticket_id}, with_texts=True, now=now)
    if not found:
        raise StackError(f"There is no ticket {ticket_id}.", remedy="'postdesk tickets' lists all.")
    return found[0]


async def every(
    database: mongo.Database, *, with_texts: bool, now: datetime
) -> list[dict[str, Any]]:
    """All tickets by number, each with messages and events."""
    return await _views(database, {}, with_texts=with_texts, now=now)


async def _views(
    database: mongo.Database, wanted: mongo.Document, *, with_texts: bool, now: datetime
) -> list[dict[str, Any]]:
    tickets = await database["tickets"].find(wanted).to_list(None)
    of_these = {"ticket_id": wanted["_id"]} if wanted else {}
    hidden = None if with_texts else _TEXTS
    messages = await database["messages"].find(of_these, hidden).sort("at", 1).to_list(None)
    events = await database["events"].find(of_these).sort("seq", 1).to_list(None)
    by_ticket = _grouped(messages), _grouped(events)
    views = [_view(t["state"], *(rows[t["_id"]] for rows in by_ticket), now=now) for t in tickets]
    return sorted(views, key=lambda view: int(view["id"].removeprefix("T-")))


def _grouped(rows: Sequence[mongo.Document]) -> dict[str, list[mongo.Document]]:
    groups = defaultdict(list)
    for row in rows:
        groups[row["ticket_id"]].append(row)
    return groups


def _view(
    state: mongo.Document,
    messages: list[mongo.Document],
    events: list[mongo.Document],
    *,
    now: datetime,
) -> dict[str, Any]:
    same = ("subject", "status", "priority", "category", "summary", "requester", "requester_name")
    more = ("unknown_contact", "assignee", "team", "escalated", "followers", "linked")
    copies = {"blind_followers": state.get("blind_followers") or []}
    return {
        "id": state["ticket_id"],
        **{name: state.get(name) for name in same},
        "account": state["account_id"],
        **{name: state.get(name) for name in (*more, "mailbox", "source", "seq", "survey")},
        **copies,
        "locked_by": TicketState.model_validate(state).holder_at(now),
        "tags": state.get("tags") or [],
        "fields": {one["field"]: one["value"] for one in state.get("fields") or []},
        "opened_at": _plain(state["opened_at"]),
        "sla": [_clock(clock, events) for clock in state["clocks"]],
        "messages": [_message(message) for message in messages],
        "timeline": [_entry(event) for event in events],
    }


def _clock(clock: mongo.Document, events: list[mongo.Document]) -> dict[str, Any]:
    """A clock runs on after a breach, until it is answered late: then it is ``missed``."""
    which = (clock["target"], clock["cycle"])
    told = {e["type"] for e in events if (e["data"].get("target"), e["data"].get("cycle")) == which}
    return {
        **_plain(clock),
        "warned": "ticket.sla-warned" in told,
        "breached": "ticket.sla-breached" in told and "ticket.sla-breach-withdrawn" not in told,
    }


def _message(row: mongo.Document) -> dict[str, Any]:
    names = ("number", "kind", "direction", "author", "from_name", "to", "cc")
    texts = {name: row[name] for name in _TEXTS if name in row}
    rest = ("message_id", "inbound_id", "unverified", "automated", "unreadable", "trust")
    return {
        **{name: row[name] for name in names},
        "from": row["from_addr"],
        **texts,
        **{name: row[name] for name in rest},
        "attachments": row["attachments"],
        "at": _plain(row["at"]),
    }


def _entry(row: mongo.Document) -> dict[str, Any]:
    data = {name: value for name, value in row["data"].items() if name not in _NOT_DATA}
    if "message" in data:
        kept = ("number", "kind", "direction", "message_id")
        data["message"] = {name: data["message"][name] for name in kept}
    entry = {"seq": row["seq"], "type": row["type"], "at": row["at"], "by": row["by"], "data": data}
    return {name: _plain(value) for name, value in entry.items()}


def _plain(value: Any) -> Any:
    """Times as ISO 8601, everywhere inside."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value
