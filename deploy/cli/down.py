"""``postdesk down``: ends a stack."""

import typer

from deploy.cli.output import STATE, StateDir, console, shows_errors
from deploy.local import facts
from deploy.local.ending import end


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(down)


@shows_errors
def down(state_dir: StateDir = STATE) -> None:
    """End the stack; its data stays. Nothing to end is no error."""
    running = facts.read(state_dir.resolve())
    if running is None:
        console.print("No stack is running.")
        return
    end(running)
    console.print(f"Stopped. The data stays in {running.state_dir}", soft_wrap=True)
