"""``postdesk inbox``: what has arrived in a mailbox of the local mail server."""

from email.message import EmailMessage
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.panel import Panel
from rich.text import Text

from deploy.cli.output import (
    STATE,
    AsJSON,
    StateDir,
    console,
    print_json,
    print_table,
    shows_errors,
)
from deploy.local import maildir
from deploy.local.errors import StackError
from deploy.local.maildir import StoredMail


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(inbox)


@shows_errors
def inbox(
    address: Annotated[str, typer.Argument(help="Whose mails; nothing: the mailboxes.")] = "",
    last: Annotated[int, typer.Option(help="Show only so many, the newest.")] = 0,
    state_dir: StateDir = STATE,
    as_json: AsJSON = False,
) -> None:
    """Show the mails of an address, oldest first; works on a stopped stack too."""
    root = state_dir.resolve() / "mailboxes"
    if not address:
        _list(root, as_json=as_json)
        return
    try:
        found = maildir.mails(root, address)[-last:]
    except ValueError as error:
        raise StackError(f"{error}.", remedy="'postdesk inbox' lists the mailboxes.") from error
    if as_json:
        print_json([as_row(mail) for mail in found])
    elif not found:
        console.print(f"No mail for {address}.", markup=False)
    for mail in [] if as_json else found:
        show(mail)


def as_row(mail: StoredMail) -> dict[str, Any]:
    """Return what ``--json`` shows of a mail."""
    message = mail.message
    headers = {
        "from": _header(message, "From"),
        "to": _header(message, "To"),
        "subject": _header(message, "Subject"),
        "date": _header(message, "Date"),
        "message_id": _header(message, "Message-ID").strip("<>"),
        "reply_to": _header(message, "Reply-To"),
    }
    return {**headers, "text": text_of(message), "path": str(mail.path)}


def text_of(message: EmailMessage) -> str:
    """Return the plain text, else the HTML as it is, else nothing."""
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, KeyError):  # unknown charset or content type
        payload = part.get_payload(decode=True)
        return payload.decode(errors="replace") if isinstance(payload, bytes) else ""


def show(mail: StoredMail) -> None:
    """Print one mail in a frame."""
    row = as_row(mail)
    names = ("from", "to", "date")
    head = Text("\n".join(f"{name.capitalize()}: {row[name]}" for name in names), style="dim")
    files = [part.get_filename() or "(no name)" for part in mail.message.iter_attachments()]
    body = Text.assemble(head, "\n\n", row["text"].strip())
    if files:
        body.append(f"\n\nAttached: {', '.join(files)}", style="dim")
    console.print(Panel(body, title=Text(row["subject"]), title_align="left"))


def _header(message: EmailMessage, name: str) -> str:
    try:
        return str(message.get(name, ""))
    except Exception:  # noqa: BLE001 - the standard library fails on some broken headers in many ways
        return ""


def _list(root: Path, *, as_json: bool) -> None:
    counts = [(address, len(maildir.mails(root, address))) for address in maildir.addresses(root)]
    if as_json:
        print_json([{"address": address, "mails": count} for address, count in counts])
    else:
        print_table(("mailbox", "mails"), counts)
