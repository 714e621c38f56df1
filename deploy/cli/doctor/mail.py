"""Checks of a running stack's outside: the door that takes mail, and the relay that sends it."""

import json
import smtplib
from collections.abc import Sequence
from urllib.parse import urlsplit

from deploy.cli.doctor.finding import Finding, error, ok, stack_check
from deploy.local import health
from deploy.local.facts import StackFacts
from deploy.local.ports import split_address

ANSWER_S = 10.0
TAKEN = 250
REFUSED = 500  # from here on: no, and for good (RFC 5321, 4.2.1)


def _answers(address: str, recipients: Sequence[str]) -> list[tuple[int, str]]:
    """Ask whether recipients are taken, without sending a mail."""
    host, port = split_address(address)
    with smtplib.SMTP(host, port, timeout=ANSWER_S) as client:
        client.ehlo()
        sender = client.mail("")
        is_taken = sender[0] == TAKEN
        answers = [client.rcpt(recipient) if is_taken else sender for recipient in recipients]
        client.rset()
    return [(code, text.decode(errors="replace")) for code, text in answers]


@stack_check("door", "mail to every mailbox is taken")
def door(stack: StackFacts) -> Finding:
    """Asked as a server asks: up to RCPT TO."""
    try:
        answers = _answers(stack.smtp, stack.mailboxes)
    except (smtplib.SMTPException, OSError) as problem:
        return _closed(stack, problem)
    refused = [
        f"{mailbox}: {code} {text}"
        for mailbox, (code, text) in zip(stack.mailboxes, answers, strict=True)
        if code >= 400  # noqa: PLR2004 - RFC 5321, 4.2.1
    ]
    if refused:
        return error(
            f"Not taken: {'; '.join(refused)}.",
            consequence="Customers' mail waits or comes back to them.",
            fix="see 'postdesk doctor --run mongo' and the log of ingest.",
        )
    return ok(f"{len(stack.mailboxes)} mailboxes at {stack.smtp}")


@stack_check("room", "there is room for mail, on the disks and among what waits to be read")
def room(stack: StackFacts) -> Finding:
    """Ingest looks itself, and says it in its health report."""
    report = health.ask(urlsplit(stack.metrics["ingest"]).netloc, "/readyz")[1]
    checks = json.loads(report)["checks"] if report else {}
    seen = [checks[name] for name in ("disk", "backlog") if name in checks]
    if not seen:
        return error(
            "Ingest does not tell.",
            consequence="Nothing can be said.",
            fix="see 'postdesk doctor --run services'.",
        )
    details = "; ".join(one["detail"] for one in seen if one["ok"] == all(o["ok"] for o in seen))
    if not all(one["ok"] for one in seen):
        return error(
            f"Too little room: {details}.",
            consequence="New mail is answered 452 for now; its senders keep it for days.",
            fix="free the disk (mark: door.min_free_bytes), or see what keeps ingest from "
            "reading (door.max_waiting): Kafka, or its parsers. Mail is taken again by itself.",
        )
    return ok(details)


@stack_check("plus-addresses", "mail to signed addresses (mailbox+token) is taken")
def plus_addresses(stack: StackFacts) -> Finding:
    """Every answer comes to such an address."""
    addresses = [agent.desk_address for agent in stack.agents if agent.desk_address]
    try:
        answers = _answers(stack.smtp, addresses[:1])
    except (smtplib.SMTPException, OSError) as problem:
        return _closed(stack, problem)
    if any(code >= 400 for code, _ in answers):  # noqa: PLR2004 - RFC 5321, 4.2.1
        return error(
            f"A signed address was answered {answers[0][0]} {answers[0][1]}.",
            consequence="Answers of customers and agents do not arrive.",
            fix="let the server in front pass mailbox+anything on to the mailbox.",
        )
    return ok("taken")


@stack_check("open-relay", "mail to strangers is refused")
def open_relay(stack: StackFacts) -> Finding:
    """A desk that takes everything sends others' spam, or returns it to forged senders."""
    try:
        answers = _answers(stack.smtp, ["somebody@elsewhere.example"])
    except (smtplib.SMTPException, OSError) as problem:
        return _closed(stack, problem)
    if answers[0][0] < REFUSED:
        return error(
            f"A stranger's address was answered {answers[0][0]}.",
            consequence="Mail that is nobody's is taken, and lost or sent back.",
            fix="report it: the door must know its mailboxes.",
        )
    return ok(f"answered {answers[0][0]}")


@stack_check("relay", "the relay for outgoing mail answers")
def relay(stack: StackFacts) -> Finding:
    """Only its greeting is asked for."""
    host, port = split_address(stack.relay)
    try:
        with smtplib.SMTP(host, port, timeout=ANSWER_S) as client:
            client.ehlo()
    except (smtplib.SMTPException, OSError) as problem:
        return error(
            f"The relay {stack.relay} does not answer: {problem}",
            consequence="Outgoing mail waits and is tried again for 5 days.",
            fix="start it, or name another with 'postdesk up --relay HOST:PORT'.",
        )
    return ok(stack.relay)


def _closed(stack: StackFacts, problem: Exception) -> Finding:
    return error(
        f"The door at {stack.smtp} does not answer: {problem}",
        consequence="No mail is taken; its senders keep it for days.",
        fix="look at ingest.log in the state folder.",
    )
