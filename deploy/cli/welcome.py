"""What a new user reads when a stack is ready: where to write, what to try, how to stop."""

import shutil
import sys
from pathlib import Path
from shlex import join

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from deploy.cli.inbox import show as show_mail
from deploy.cli.output import STATE, console
from deploy.local.demo import FirstMail
from deploy.local.facts import StackFacts, without_password


def show(stack: StackFacts, first: FirstMail | None) -> None:
    """Print it; ``first`` is what has happened in the demo."""
    if first:
        what = f"{first.customer.name} wrote to {stack.mailboxes[0]}; an agent was told:"
        console.print(what, markup=False)
        show_mail(first.notice)
    console.print(_addresses(stack, first))
    if first:
        example = ["reply", first.agent.address, "#take", "", "Hello Emma, we are on it."]
        console.print(f"\nAnswer it as {first.agent.name} (paste):", markup=False)
        console.print(f"  {command(stack, *example)}", style="bold", markup=False, soft_wrap=True)
        console.print("and read what the customer gets:")
        read = command(stack, "inbox", first.customer.address)
        console.print(f"  {read}", style="bold", markup=False, soft_wrap=True)
    warning = Text("This is a development set-up: no passwords, no TLS. Do not expose it.")
    stop = Text(f"Stop it with: {command(stack, 'down')}   (or Ctrl-C where it runs in front)")
    console.print(Panel(Group(warning, stop), border_style="yellow"))


def command(stack: StackFacts, *words: str) -> str:
    """Return a ``postdesk`` command as one would type it here for this stack."""
    given = [] if Path(stack.state_dir) == STATE.resolve() else ["--state-dir", stack.state_dir]
    return join([_program(), *words, *given])


def _program() -> str:
    own = Path(sys.executable).with_name("postdesk")
    found = shutil.which("postdesk")
    if found and Path(found) == own:
        return "postdesk"
    here = Path.cwd()
    return str(own.relative_to(here)) if own.is_relative_to(here) else str(own)


def _addresses(stack: StackFacts, first: FirstMail | None) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row("Write to", ", ".join(stack.mailboxes))
    if stack.imap:
        who = first.customer.address if first else "ANY@ADDRESS"
        agents = ", ".join(person.address for person in stack.agents if person.role == "agent")
        table.add_row("Mail program", f"SMTP {stack.outgoing}, IMAP {stack.imap}, no TLS")
        table.add_row("", f"login: an address, such as {who}; any password")
        table.add_row("Agents", agents)
    table.add_row("The desk's door", f"SMTP {stack.smtp}")
    table.add_row("Kafka, MongoDB", f"{stack.kafka}, {without_password(stack.mongo)}")
    table.add_row("Data and logs", stack.state_dir)
    return table
