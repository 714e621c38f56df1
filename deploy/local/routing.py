"""Tries the rules of routing on mails: one from a file, or all that opened tickets before."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from deploy.local import directory
from services.ingest.reducing import mail_of
from services.tickets.domain import asked_priority
from services.tickets.domain.contacts import People
from services.tickets.domain.facts import Facts, Person
from services.tickets.domain.routing import chosen_agent, mailbox_of
from services.tickets.domain.routing_rules import Question, Route, judged, route
from services.tickets.domain.threading import untagged
from services.tickets.mongo_store import MongoStore
from shared import mongo
from shared.blobs import Blobs
from shared.config.models import Desk
from shared.contracts.directory import Account, Contact

EXAMPLES = 10
DECIDED = ("team", "priority", "category", "assign", "tags", "sla_policy")


def people_of(desk: Desk, config: Path) -> People:
    """Contacts and accounts of the files that the configuration names.

    Raises:
        StackError: one of them is not right.
    """
    entries = [e for name in desk.directory for e in directory.read(config.parent / name)]
    return People(
        [entry for entry in entries if isinstance(entry, Contact)],
        [entry for entry in entries if isinstance(entry, Account)],
    )


def question_of(raw: bytes, desk: Desk, people: People, *, mailbox: str, now: datetime) -> Question:
    """What the rules see of a mail; ``mailbox`` empty: the first of the desk's that it is to."""
    mail = mail_of(raw)
    to = [address.lower() for address in (*mail.to_addrs, *mail.cc_addrs)]
    named = next((address for address in to if address in desk.mailboxes_by_address), "")
    box = mailbox_of(mailbox or named, desk)
    who = people.who(mail.from_addr) if mail.from_addr else Person()
    wanted = asked_priority.asked_for(mail.subject, mail.importance, box.address, desk)
    return Question(
        mailbox=box.address,
        department=box.department,
        subject=asked_priority.without_tag(untagged(mail.subject), box.address, desk),
        text=mail.text,
        language=who.language or box.language,
        sender=mail.from_addr.lower(),
        now=now,
        account_id=who.account_id,
        segments=who.segments,
        files=tuple(attachment.name or "" for attachment in mail.attachments),
        priority="" if mail.automated else wanted,
    )


def explained(question: Question, desk: Desk) -> dict[str, Any]:
    """The decision, each rule with why it fits, and who would get the ticket at the first turn."""
    decided = route(question, desk)
    facts = Facts(question.now, desk)
    return {
        "mailbox": question.mailbox,
        **_shown(decided),
        "agent": chosen_agent(decided, 0, facts, language=question.language),
        "fired": [{"rule": name, "because": because} for name, because in decided.fired],
        "rules": [
            {"rule": rule.name, "fits": reasons is not None, "because": reasons or []}
            for rule, reasons in judged(question, desk.routing.rules)
        ],
    }


async def replayed(client: mongo.Client, desk: Desk, since: datetime) -> dict[str, Any]:
    """What the rules of ``desk`` decide about the tickets opened since, beside what was decided.

    ``differences`` counts tickets by field; ``examples`` are the first ones. Of assignments only
    those by rule are compared, because the rotation's turns are over.
    """
    database = mongo.database(client, "tickets")
    store = MongoStore(client, database, Blobs(client))
    wanted = {"type": "ticket.opened", "at": {"$gte": since}}
    counts: Counter[str] = Counter()
    examples: list[dict[str, Any]] = []
    tickets = 0
    async for opened in database["events"].find(wanted).sort("at", 1):
        state = opened["data"]["state"]
        first = await database["messages"].find_one({"ticket_id": state["ticket_id"], "number": 1})
        if first is None:
            continue
        tickets += 1
        who = (await store.people([state["requester"]])).who(state["requester"])
        new = _shown(route(_question_again(opened["data"], first, who, desk), desk))
        changed = {
            name: {"then": _plain(state.get(name, "")), "now": new[name]}
            for name in ("team", "priority", "category", "tags", "sla_policy")
            if _plain(state.get(name, "")) != new[name]
        }
        counts.update(list(changed))
        if changed and len(examples) < EXAMPLES:
            about = {"ticket": state["ticket_id"], "subject": state["subject"]}
            examples.append({**about, "changed": changed, "rules": new["rules_fired"]})
    return {"tickets": tickets, "differences": dict(counts), "examples": examples}


def _question_again(
    opened: mongo.Document, first: mongo.Document, who: Person, desk: Desk
) -> Question:
    state = opened["state"]
    box = mailbox_of(state["mailbox"], desk)
    may_ask = asked_priority.may_ask(box.address, desk)
    return Question(
        mailbox=box.address,
        department=box.department,
        subject=state["subject"],
        text=first["text"],
        language=who.language or box.language,
        sender=first["from_addr"],
        now=first["accepted_at"],
        account_id=who.account_id,
        segments=who.segments,
        files=tuple(file["name"] for file in first["attachments"]),
        source=state["source"],
        priority=opened.get("asked_priority", "") if may_ask else "",
    )


def _shown(decided: Route) -> dict[str, Any]:
    found = {name: _plain(getattr(decided, name)) for name in DECIDED}
    return {**found, "rules_fired": decided.rules}


def _plain(value: str | Iterable[str]) -> str | list[str]:
    return value if isinstance(value, str) else list(value)
