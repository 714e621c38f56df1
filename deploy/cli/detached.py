"""Starts ``postdesk up`` in the background and returns when its stack is ready."""

import subprocess
import sys

from deploy.cli.progress import Fetching
from deploy.local import facts, folders, parts, process
from deploy.local.errors import NotReadyError, StackError
from deploy.local.providers import docker
from deploy.local.providers.jars import kafka_jars
from deploy.local.stack import Options


def start(options: Options) -> facts.StackFacts:
    """Return the facts of the stack, which goes on after this process.

    Raises:
        StackError: it did not become ready; the end of its log says why.
    """
    if facts.read(options.state):
        raise StackError(
            f"A stack is running already with the state folder {options.state}.",
            remedy="use it, end it with 'postdesk down', or choose another --state-dir.",
        )
    if not options.kafka and not docker.engine_answers():
        with Fetching() as fetching:  # here, where the bar is seen
            kafka_jars(folders.cache_dir(), fetching)
    log = options.state / "logs" / "up.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "deploy.cli", "up", "--json", *_arguments(options)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            env=parts.python_env() | _secrets(options),
            start_new_session=True,
        )
    return _facts_of(child, options)


def _facts_of(child: subprocess.Popen[bytes], options: Options) -> facts.StackFacts:
    """Wait for the one line that the background process prints when all is ready."""
    try:
        line = child.stdout.readline() if child.stdout else b""
    except KeyboardInterrupt:
        child.terminate()
        child.wait()
        raise
    if not line:
        tail = process.tail_of(options.state / "logs" / "up.log", lines=40)
        raise NotReadyError("The stack did not start.", log_tail=tail)
    return facts.running(options.state)


def _arguments(options: Options) -> list[str]:
    given = {
        "--state-dir": str(options.state),
        "--config": str(options.config),
        "--smtp": options.smtp,
        "--relay": options.relay,
        "--imap": options.imap,
        "--kafka": options.kafka,
    }
    words = [word for name, value in given.items() if value for word in (name, value)]
    return words if options.demo else [*words, "--no-demo"]


def _secrets(options: Options) -> dict[str, str]:
    """Return what may hold a password: every user of the machine sees the words of a command."""
    return {"POSTDESK_MONGO": options.mongo} if options.mongo else {}
