"""The story of one mail, put together from what each service has stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deploy.local.dead_letters import Letter
from deploy.local.errors import StackError
from shared import mongo


@dataclass(frozen=True)
class Stores:
    """The collections that know something about mails."""

    inbound: mongo.Collection
    messages: mongo.Collection
    events: mongo.Collection
    outgoing: mongo.Collection
    clocks: mongo.Collection

    @classmethod
    def of(cls, client: mongo.Client) -> "Stores":
        """The collections of a running or stopped desk's MongoDB."""
        ingest, tickets = mongo.database(client, "ingest"), mongo.database(client, "tickets")
        notify, sla = mongo.database(client, "notify"), mongo.database(client, "sla")
        return cls(
            inbound=ingest["inbound"],
            messages=tickets["messages"],
            events=tickets["events"],
            outgoing=notify["outgoing"],
            clocks=sla["clocks"],
        )


async def trace(stores: Stores, name: str, letters: Sequence[Letter] = ()) -> list[dict[str, Any]]:
    """Stories of all mails with this Message-ID or id; an outgoing mail's is that of its cause.

    One mail to two mailboxes is two stories; those of ``letters`` (dead letters) that belong to a
    story are in it. Raises StackError where nothing is known.
    """
    name = name.strip().strip("<>")
    rows = await _inbound(stores, name)
    if not rows:
        sent = await stores.outgoing.find_one({"$or": [{"message_id": name}, {"_id": name}]})
        if sent:
            rows = await _inbound(stores, sent["correlation_id"])
            if not rows:
                return [_story_of_sent(sent, letters)]
    if not rows:
        remedy = "give its Message-ID, or the id that the SMTP answer named (queued as ID)."
        raise StackError(f"No mail {name} is known here.", remedy=remedy)
    return [await _story(stores, row, letters) for row in rows]


async def _inbound(stores: Stores, name: str) -> list[mongo.Document]:
    wanted = {"$or": [{"message_id": name}, {"_id": name}]}
    return await stores.inbound.find(wanted, {"raw": 0}).sort("received_at", 1).to_list(None)


async def _story(stores: Stores, row: mongo.Document, letters: Sequence[Letter]) -> dict[str, Any]:
    message = await stores.messages.find_one({"inbound_id": row["_id"]}) or {}
    ticket = message.get("ticket_id") or None
    every: list[mongo.Document] = []
    if ticket:
        every = await stores.events.find({"ticket_id": ticket}).sort("seq", 1).to_list(None)
    events = [e for e in every if e.get("correlation_id") == row["_id"]]
    sent = await stores.outgoing.find(_caused_by(row, ticket), {"raw": 0}).to_list(None)
    clocks = await _clocks(stores, ticket, events)
    buried = _of_story(letters, row, events)
    states = _states(row, message, events) + [_clock_state(c) for c in clocks] + _buried(buried)
    return {
        "mail": _mail(row, message),
        "states": sorted(states, key=lambda state: state["at"]),
        "ticket": ticket,
        "caused": [
            {**_outgoing(one), "states": _sent_states(one) + _fates(one, every)} for one in sent
        ],
        "clocks": clocks,
        "dead_letters": [letter.shown() for letter in buried],
    }


def _story_of_sent(sent: mongo.Document, letters: Sequence[Letter]) -> dict[str, Any]:
    """The story of a mail out that no mail caused, such as a report or what a system asked for."""
    buried = [one for one in letters if one.correlation_id == sent["correlation_id"]]
    return {
        "mail": _outgoing(sent),
        "states": _sent_states(sent) + _buried(buried),
        "ticket": sent["ticket_id"] or None,
        "caused": [],
        "clocks": [],
        "dead_letters": [letter.shown() for letter in buried],
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
        why = f": {row['unreadable']}" if row.get("unreadable") else ""
        states.append(_state("ingest", f"{row['state']}{why}", row["announced_at"]))
    elif row.get("withheld"):
        states.append(_state("ingest", f"withheld: {row['withheld']}", row["received_at"]))
    if message:
        states.append(_state("tickets", f"message {message['number']}", message["at"]))
    states.extend(_state("tickets", f"{e['_id']} {e['type']}", e["at"]) for e in events)
    return states


def _outgoing(row: mongo.Document) -> dict[str, Any]:
    names = ("kind", "recipient", "message_id", "ticket_id", "event_id", "state", "detail")
    return {"id": row["_id"], **{name: row.get(name) or "" for name in names}}


def _sent_states(row: mongo.Document) -> list[dict[str, Any]]:
    states = [_state("notify", "planned", row["created_at"])]
    if row.get("settled_at"):
        ended = "sent" if row["state"] == "bounced" else row["state"]
        why = f": {row['detail']}" if ended in {"failed", "suppressed"} else ""
        states.append(_state("notify", f"{ended}{why}", row["settled_at"]))
    if report := row.get("report"):
        states.append(_state("notify", f"bounced: {report['detail']}", report["at"]))
    return states


def _state(service: str, state: str, at: Any) -> dict[str, Any]:
    return {"service": service, "state": state, "at": at}


def _fates(sent: mongo.Document, events: list[mongo.Document]) -> list[dict[str, Any]]:
    """What the ticket has noted about an outgoing mail later: a bounce comes as a mail itself."""
    return [
        _state("tickets", f"{_outcome(e['data'])}: {e['data']['detail']}", e["at"])
        for e in events
        if e["type"] == "ticket.delivery-noted"
        and e["data"]["message_id"] == sent["message_id"] != ""
        and e["data"]["outcome"] == "bounced"
    ]


def _outcome(noted: dict[str, Any]) -> str:
    return f"{noted['outcome']}, the address is dead" if noted.get("dead") else noted["outcome"]


async def _clocks(
    stores: Stores, ticket: str | None, events: list[mongo.Document]
) -> list[dict[str, Any]]:
    """When sla set the ticket's clocks after these events, and how they stand now."""
    if not ticket or not events:
        return []
    told = [event["at"] for event in events if event["type"] == "ticket.clocks-updated"]
    if not told:
        return []
    shown = ("target", "cycle", "state", "due_at", "warned", "ran_out")
    clocks = stores.clocks.find({"ticket_id": ticket}).sort("number", 1)
    return [{"set_at": told[0], **{name: clock[name] for name in shown}} async for clock in clocks]


def _clock_state(clock: dict[str, Any]) -> dict[str, Any]:
    due = f", due {clock['due_at']:%Y-%m-%d %H:%M}" if clock["due_at"] else ""
    fired = ", ran out" if clock["ran_out"] else ", warned" if clock["warned"] else ""
    what = f"clock {clock['target']} {clock['cycle']}: now {clock['state']}{due}{fired}"
    return _state("sla", what, clock["set_at"])


def _of_story(
    letters: Sequence[Letter], row: mongo.Document, events: list[mongo.Document]
) -> list[Letter]:
    ids = {row["_id"], *(event["_id"] for event in events)}
    return [
        one
        for one in letters
        if one.correlation_id == row["_id"] or not ids.isdisjoint((one.record_id, *one.parts))
    ]


def _buried(letters: Sequence[Letter]) -> list[dict[str, Any]]:
    states = []
    for one in letters:
        what = f"dead letter {one.id} of {one.origin}: {one.reason}"
        states.append(_state(one.service, what, one.at))
        for decision in one.decisions:
            told = f"dead letter {one.id} {decision['action']} by {decision['by']}"
            states.append(_state(one.service, told, decision["at"]))
    return [state for state in states if state["at"]]
