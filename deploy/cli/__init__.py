"""The ``postdesk`` command: one module for each command, all of them registered here."""

import sys
from collections.abc import Iterable
from importlib import import_module

import typer

COMMANDS = (
    "up",
    "down",
    "status",
    "send",
    "reply",
    "inbox",
    "topics",
    "doctor",
    "config",
    "directory",
    "parse",
    "route",
    "sla",
    "report",
    "tickets",
    "show",
    "trace",
    "events",
    "rebuild",
    "ledger",
    "dlq",
    "quarantine",
    "addresses",
    "backup",
    "restore",
    "demo",
)
"""Modules of this package; each adds its command or group with ``register(app)``."""


def build(commands: Iterable[str] = COMMANDS) -> typer.Typer:
    """Return the command line, whole or with some of its commands."""
    app = typer.Typer(
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback()(_postdesk)
    for name in commands:
        import_module(f"{__name__}.{name}").register(app)
    return app


def _postdesk() -> None:
    """Run, try and examine a help desk that lives in mail."""


def main() -> None:
    """Run ``postdesk``; only the command that is asked for is loaded, so that it starts quickly."""
    asked_for = [name for name in COMMANDS if name in sys.argv[1:2]]
    build(asked_for or COMMANDS)()
