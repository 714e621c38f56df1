"""J1 to J7 and J15: what became of the mails that were sent to the desk."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from shared.contracts.ticket import MailHeld
from tests.actors.books import Evidence, arrived, mailbox_of
from tests.actors.mails import Mail

PLANNED_CODES: Mapping[str, int] = {"oversize": 552}
"""Kinds of mail that are to be refused for good, and the code (RELIABILITY 3.1)."""
INTERNALS = re.compile(r"Traceback|Error:|mongo|kafka|\b10\.\d|\b127\.", re.IGNORECASE)
_QUEUED = re.compile(r"queued as (\w+)")


def no_loss(found: Evidence) -> Iterator[str]:
    """Every mail that got a 250 is a message, for each mailbox."""
    held = _held(found)
    for key, mail in _wanted(found).items():
        if not held[key]:
            yield f"missing: {mail.kind} {mail.id} for {key[1]}"


def exactly_once(found: Evidence) -> Iterator[str]:
    """And not twice, whatever was sent again or heard no answer."""
    held, tickets = _held(found), _tickets(found)
    for key, mail in _wanted(found).items():
        if held[key] > 1:
            where = sorted(tickets[key])
            yield f"{held[key]} times ({where}): {mail.kind} {mail.id} for {key[1]}"


def no_invention(found: Evidence) -> Iterator[str]:
    """No message that nobody sent; one whose 250 was not heard may be there."""
    sent = {(mail.id, mailbox_of(to)) for mail in found.sent for to in mail.recipients}
    for event, message in arrived(found.events):
        if message.inbound_id not in found.inbound:
            yield f"too much: {event.ticket_id} seq {event.seq} holds unknown {message.inbound_id}"
    for mail_id, mailbox in _held(found).keys() - sent:
        yield f"too much: a message of mail {mail_id or 'unknown'} for {mailbox} that nobody sent"


def replies(found: Evidence) -> Iterator[str]:
    """4xx and silence end in a 250, 5xx is planned; no reply tells of our insides."""
    outcomes: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for one in found.attempts:
        outcomes[one.id].append((one.code, one.outcome))
        if INTERNALS.search(one.text):
            yield f"a reply to {one.id} tells internals: {one.code} {one.text}"
    for mail in found.sent:
        tries, planned = outcomes[mail.id], PLANNED_CODES.get(mail.kind)
        for code in {code for code, outcome in tries if outcome == "5xx"} - {planned}:
            yield f"refused: {mail.kind} {mail.id}: {code}"
        if planned and any(outcome == "250" for _, outcome in tries):
            yield f"accepted, though to be refused: {mail.kind} {mail.id}"
        elif not any(outcome in {"250", "5xx"} for _, outcome in tries):
            yield f"no end after {len(tries)} tries: {mail.kind} {mail.id}"


def same_bytes(found: Evidence) -> Iterator[str]:
    """What is stored are the bytes that were sent."""
    for inbound_id, row in found.inbound.items():
        if row.mail_id and not row.has_sent_bytes:
            yield f"stored with other bytes: {row.mail_id} as {inbound_id}"


def reused_ids(found: Evidence) -> Iterator[str]:
    """Two mails under one Message-ID are two messages."""
    held = _held(found)
    pairs: dict[str, list[Mail]] = defaultdict(list)
    for mail in found.accepted:
        pairs[mail.message_id].append(mail)
    for message_id, mails in pairs.items():
        keys = {(mail.id, mailbox_of(mail.recipients[0])) for mail in mails}
        if len(mails) > 1 and sum(held[key] for key in keys) != len(mails):
            yield f"{len(mails)} mails under {message_id} are {sum(held[k] for k in keys)} messages"


def right_ticket(found: Evidence) -> Iterator[str]:
    """Replies are in the ticket they answer; who only says that he is an agent is not believed."""
    tickets = _tickets(found)
    for (mail_id, mailbox), mail in _wanted(found).items():
        where = tickets[mail_id, mailbox]
        if mail.ticket_id and where and where != {mail.ticket_id}:
            yield f"wrong ticket {sorted(where)}: {mail.kind} {mail_id} belongs to {mail.ticket_id}"
    forged = {mail.id: mail for mail in found.sent if mail.kind == "spoofed"}
    for event, message in arrived(found.events):
        row = found.inbound.get(message.inbound_id)
        is_held = isinstance(event, MailHeld) and message.unverified
        if row and row.mail_id in forged and not is_held:
            yield f"believed: forged {row.mail_id} is {event.type} in {event.ticket_id}"
    yield from _mailed_forgeries(found, forged)


def _mailed_forgeries(found: Evidence, forged: Mapping[str, Mail]) -> Iterator[str]:
    texts = {mail.raw.partition(b"\r\n\r\n")[2].strip(): name for name, mail in forged.items()}
    for mail in found.taken:
        if mail.recipient not in found.desk.agents_by_address:
            for text, name in texts.items():
                if text in mail.raw:
                    yield f"mailed out: forged {name} to {mail.recipient}"


def known_names(found: Evidence) -> Iterator[str]:
    """The id that a 250 named is ingest's."""
    for one in found.attempts:
        if one.outcome == "250":
            name = _QUEUED.search(one.text)
            if not name or name[1] not in found.inbound:
                yield f"{one.id} was queued as {name[1] if name else 'nothing'}, which is not there"


def _held(found: Evidence) -> Counter[tuple[str, str]]:
    return Counter(
        (row.mail_id, row.mailbox)
        for _, message in arrived(found.events)
        if (row := found.inbound.get(message.inbound_id))
    )


def _tickets(found: Evidence) -> dict[tuple[str, str], set[str]]:
    tickets: dict[tuple[str, str], set[str]] = defaultdict(set)
    for event, message in arrived(found.events):
        if row := found.inbound.get(message.inbound_id):
            tickets[row.mail_id, row.mailbox].add(event.ticket_id)
    return tickets


def _wanted(found: Evidence) -> dict[tuple[str, str], Mail]:
    return {(mail.id, mailbox_of(to)): mail for mail in found.accepted for to in mail.recipients}
