"""``postdesk up``: starts a stack, in the foreground or detached, and says how to use it."""

import signal
import time
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from deploy.cli import detached, welcome
from deploy.cli.output import STATE, AsJSON, StateDir, errors, print_json, shows_errors
from deploy.cli.progress import Fetching
from deploy.local import demo, directory, parts
from deploy.local.configuration import load_checked
from deploy.local.facts import StackFacts
from deploy.local.stack import Options, Stack

DEMO_CONFIG = parts.ROOT / "deploy" / "presets" / "demo.yaml"
TICK_S = 0.5


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(up)


@shows_errors
def up(  # noqa: PLR0917 - typer calls it by name
    config: Annotated[Path, typer.Option(help="The desk's configuration.")] = DEMO_CONFIG,
    state_dir: StateDir = STATE,
    smtp: Annotated[str, typer.Option(help="HOST:PORT to take mail at; port 0: a free one.")] = "",
    relay: Annotated[
        str, typer.Option(help="HOST:PORT that mail goes out to, instead of a local mail server.")
    ] = "",
    imap: Annotated[str, typer.Option(help="HOST:PORT to read the local mailboxes at.")] = "",
    kafka: Annotated[
        str, typer.Option(envvar="POSTDESK_KAFKA", help="Bootstrap servers that exist.")
    ] = "",
    mongo: Annotated[
        str, typer.Option(envvar="POSTDESK_MONGO", help="URI of a replica set that exists.")
    ] = "",
    with_demo: Annotated[
        bool, typer.Option("--demo/--no-demo", help="Load the demo's customers.")
    ] = True,
    detach: Annotated[bool, typer.Option("--detach", help="Return when ready.")] = False,
    as_json: AsJSON = False,
) -> None:
    """Start Kafka, MongoDB, the services and a local mail server; Ctrl-C ends them all.

    One of the demo's customers then writes the first mail; with --json nobody does, and one line
    tells the addresses when all is ready.
    """
    options = Options(
        state=state_dir.resolve(),
        config=config.resolve(),
        smtp=smtp,
        relay=relay,
        imap=imap,
        kafka=kafka,
        mongo=mongo,
        demo=with_demo,
    )
    if detach:
        _announce(detached.start(options), as_json=as_json)
    else:
        _foreground(options, as_json=as_json)


def _foreground(options: Options, *, as_json: bool) -> None:
    # SIGINT too: a shell's background jobs are born deaf to it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    stack = Stack(options, _say)
    try:
        with Fetching() as fetching:
            stack.progress = fetching
            running = stack.start()
        if files := _directory_files(options):
            running.customers = directory.people(directory.load(running.kafka, files))
            stack.publish()
        _announce(running, as_json=as_json)
        while True:
            time.sleep(TICK_S)
            stack.look_after()
    except KeyboardInterrupt:
        _say("Stopping …")
    finally:
        # A second Ctrl-C must not leave processes behind.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        stack.stop()


def _directory_files(options: Options) -> list[Path]:
    """The customers that the configuration names, else those of the demo if it is wanted."""
    named = load_checked(options.config).desk.directory
    demo_files = [demo.DIRECTORY_FILE] if options.demo else []
    return [options.config.parent / name for name in named] or demo_files


def _announce(running: StackFacts, *, as_json: bool) -> None:
    if as_json:
        print_json(running.shown())
    else:
        welcome.show(running, demo.first_mail(running) if running.customers else None)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    errors.print(text, style="dim", markup=False)
