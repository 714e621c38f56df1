"""``postdesk reply``: answers the newest mail of a mailbox, as its owner's mail program would."""

import time
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, parseaddr
from typing import Annotated

import typer

from deploy.cli.output import STATE, AsJSON, StateDir, console, print_json, shows_errors
from deploy.local import facts, maildir, smtp
from deploy.local.errors import StackError
from deploy.local.maildir import StoredMail

# Ids are never folded: some receivers cannot read a folded one (RFC 5322, 2.1.1: 998 is allowed).
POLICY = SMTP.clone(max_line_length=998)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(reply)


@shows_errors
def reply(
    address: Annotated[str, typer.Argument(help="Who answers, such as an agent's address.")],
    lines: Annotated[list[str], typer.Argument(help="The text, line by line.")],
    state_dir: StateDir = STATE,
    as_json: AsJSON = False,
) -> None:
    """Answer the newest mail in a mailbox of the local mail server."""
    running = facts.running(state_dir.resolve())
    found = maildir.mails(state_dir.resolve() / "mailboxes", address)
    if not found:
        raise StackError(f"No mail for {address}.", remedy="'postdesk inbox' lists the mailboxes.")
    known = {person.address: person.name for person in (*running.agents, *running.customers)}
    answer, recipient = answer_to(found[-1], address, known.get(address, ""), "\n".join(lines))
    raw = answer.as_bytes(policy=POLICY)
    said = smtp.deliver(running.smtp, address, [recipient], raw)
    row = {"to": recipient, "message_id": answer["Message-ID"].strip("<>"), "answer": said}
    if as_json:
        print_json(row)
    else:
        console.print(f"{recipient}: {said}", markup=False, soft_wrap=True)


def answer_to(mail: StoredMail, address: str, name: str, text: str) -> tuple[EmailMessage, str]:
    """Return a reply (RFC 5322, 3.6.4) and the address that it goes to."""
    original = mail.message
    recipient = parseaddr(str(original.get("Reply-To") or original.get("From", "")))[1]
    subject = str(original.get("Subject", ""))
    cited = str(original.get("Message-ID", ""))
    earlier = str(original.get("References", "")).split()
    answer = EmailMessage(policy=POLICY)
    answer["From"] = formataddr((name, address))
    answer["To"] = recipient
    answer["Subject"] = subject if subject.lower().startswith("re:") else f"Re: {subject}"
    answer["Date"] = format_datetime(datetime.now(UTC))
    answer["Message-ID"] = f"<reply-{time.time_ns()}@{address.rpartition('@')[2]}>"
    answer["In-Reply-To"] = cited
    answer["References"] = " ".join(dict.fromkeys([*earlier, cited]))
    answer.set_content(text + "\n")
    return answer, recipient
