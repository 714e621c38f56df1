"""``postdesk send``: delivers a mail file to the desk by SMTP, as the sender's server would."""

from email import message_from_bytes, policy
from email.utils import getaddresses, parseaddr
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.output import STATE, AsJSON, StateDir, console, print_json, shows_errors
from deploy.local import facts, smtp
from deploy.local.errors import StackError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(send)


@shows_errors
def send(
    file: Annotated[Path, typer.Argument(help="A mail (RFC 5322), such as mail.eml; - is stdin.")],
    to: Annotated[
        list[str] | None, typer.Option(help="Recipient, instead of the headers'.")
    ] = None,
    sender: Annotated[str, typer.Option("--from", help="Envelope sender, likewise.")] = "",
    state_dir: StateDir = STATE,
    as_json: AsJSON = False,
) -> None:
    """Send a mail to the desk; sender and recipients are those of its headers."""
    raw = _read(file)
    mail_from, recipients = envelope_of(raw)
    running = facts.running(state_dir.resolve())
    mail_from, recipients = sender or mail_from, to or recipients
    if not recipients:
        raise StackError("The mail names no recipient.", remedy="name one with --to ADDRESS.")
    answer = smtp.deliver(running.smtp, mail_from, recipients, raw)
    if as_json:
        print_json({"from": mail_from, "to": recipients, "answer": answer})
    else:
        console.print(f"{', '.join(recipients)}: {answer}", markup=False, soft_wrap=True)


def envelope_of(raw: bytes) -> tuple[str, list[str]]:
    """Return the sender and the recipients (To, Cc, Bcc) that the headers name."""
    headers = message_from_bytes(raw, policy=policy.compat32)
    sender = parseaddr(str(headers.get("From", "")))[1]
    named = [str(v) for name in ("To", "Cc", "Bcc") for v in headers.get_all(name, [])]
    return sender, list(dict.fromkeys(address for _, address in getaddresses(named) if address))


def _read(file: Path) -> bytes:
    try:
        with open(0, "rb") if str(file) == "-" else file.open("rb") as source:
            return source.read()
    except OSError as error:
        raise StackError(f"{file}: {error.strerror}.", remedy="name a readable file.") from error
