"""The story of one mail, put together from what each service has stored."""

from dataclasses import dataclass
from typing import Any

from deploy.local.errors import StackError
from shared import mongo


@dataclass(frozen=True)
class Stores:
    """The collections that know something about mails."""

    inbound: mongo.Collection
    messages: mongo.Collection
    events: mongo.Collection
    outgoing: mongo.Collection
    told: mongo.Collection

    @classmethod
    def of(cls, client: mongo.Client) -> "Stores":
        """The collections of a running or stopped desk's MongoDB."""
        ingest, tickets = mongo.database(client, "ingest"), mongo.database(client, "tickets")
        notify = mongo.database(client, "notify")
        return cls(
            inbound=ingest["inbound"],
            messages=tickets["messages"],
            events=tickets["events"],
            outgoing=notify["outgoing"],
            told=notify["outbox"],
        )


async def trace(stores: Stores, name: str) -> list[dict[str, Any]]:
    """Stories of all mails with this Message-ID or id; an outgoing mail's is that of its cause.

    One mail to two mailboxes is two stories. Raises StackError where nothing is known.
    """
    name = name.strip().strip("<>")
    rows = await _inbound(stores, name)
    if not rows:
        sent = await stores.outgoing.find_one({"$or": [{"message_id": name}, {"_id": name}]})
        if sent:
            rows = await _inbound(stores, sent["correlation_id"])
            if not rows:
                states = (await _sent_states(stores, [sent]))[sent["_id"]]
                return [{"mail": _outgoing(sent), "states": states, "caused": []}]
    if not rows:
        remedy = "give its Message-ID, or the id that the SMTP answer named (queued as ID)."
        raise StackError(f"No mail {name} is known here.", remedy=remedy)
    return [await _story(stores, row) for row in rows]


async def _inbound(stores: Stores, name: str) -> list[mongo.Document]:
    wanted = {"$or": [{"message_id": name}, {"_id": name}]}
    return await stores.inbound.find(wanted, {"raw": 0}).sort("received_at", 1).to_list(None)


async def _story(stores: Stores, row: mongo.Document) -> dict[str, Any]:
    message = await stores.messages.find_one({"inbound_id": row["_id"]}) or {}
    ticket = message.get("ticket_id") or None
    events: list[mongo.Document] = []
    if ticket:
        of_ticket = stores.events.find({"ticket_id": ticket}).sort("seq", 1)
        events = [e async for e in of_ticket if e.get("correlation_id") == row["_id"]]
    sent = await stores.outgoing.find(_caused_by(row, ticket), {"raw": 0}).to_list(None)
    sent_states = await _sent_states(stores, sent)
    return {
        "mail": _mail(row, message),
        "states": _states(row, message, events),
        "ticket": ticket,
        "caused": [{**_outgoing(one), "states": sent_states[one["_id"]]} for one in sent],
    }


def _caused_by(row: mongo.Document, ticket: str | None) -> mongo.Document:
    # The ledger has an index on (ticket_id, recipient), none on what began it all.
    wanted: mongo.Document = {"correlation_id": row["_id"]}
    if ticket:
        return {"ticket_id": ticket, **wanted}
    return {"ticket_id": "", "recipient": row["envelope_from"], **wanted}


def _mail(row: mongo.Document, message: mongo.Document) -> dict[str, Any]:
    return {
        "id": row["_id"],
        "message_id": row["message_id"],
        "mailbox": row["mailbox"],
        "from": message.get("from_addr") or row["envelope_from"],
        "to": row["recipient"],
        "subject": message.get("mail_subject", ""),
        "size_bytes": row["size_bytes"],
        "state": row["state"],
        "unreadable": row.get("unreadable", ""),
        "unverified": bool(message.get("unverified")),
        "trust": message.get("trust", ""),
    }


def _states(
    row: mongo.Document, message: mongo.Document, events: list[mongo.Document]
) -> list[dict[str, Any]]:
    states = [_state("ingest", "stored, answered 250", row["received_at"])]
    if row.get("announced_at"):
        states.append(_state("ingest", row["state"], row["announced_at"]))
    if message:
        states.append(_state("tickets", f"message {message['number']}", message["at"]))
    states.extend(_state("tickets", f"{e['_id']} {e['type']}", e["at"]) for e in events)
    return states


def _outgoing(row: mongo.Document) -> dict[str, Any]:
    names = ("kind", "recipient", "message_id", "ticket_id", "event_id", "state", "detail")
    return {"id": row["_id"], **{name: row.get(name) or "" for name in names}}


async def _sent_states(
    stores: Stores, rows: list[mongo.Document]
) -> dict[str, list[dict[str, Any]]]:
    """When each mail was planned, and what tickets was told of it since."""
    states = {row["_id"]: [_state("notify", "planned", row["created_at"])] for row in rows}
    ids = [f"{name}.{outcome}" for name in states for outcome in ("sent", "deferred", "failed")]
    async for told in stores.told.find({"_id": {"$in": ids}}):
        name, _, outcome = told["_id"].rpartition(".")
        states[name].append(_state("notify", outcome, told["record"]["at"]))
    return states


def _state(service: str, state: str, at: Any) -> dict[str, Any]:
    return {"service": service, "state": state, "at": at}
