"""``postdesk status``: what runs, where, since when, and whether it is ready."""

import time
from typing import Any
from urllib.parse import urlsplit

import psutil
import typer

from deploy.cli.output import (
    STATE,
    AsJSON,
    StateDir,
    console,
    print_json,
    print_table,
    shows_errors,
)
from deploy.local import facts, health
from deploy.local.facts import StackFacts

MIB = 1024 * 1024


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(status)


@shows_errors
def status(state_dir: StateDir = STATE, as_json: AsJSON = False) -> None:
    """Show the running stack: addresses, processes, readiness, memory. Code 1 if a part is down."""
    running = facts.running(state_dir.resolve())
    processes = [_process(running, name, pid) for name, pid in running.pids.items()]
    ready = all(one["ready"] for one in processes)
    if as_json:
        print_json({**running.shown(), "ready": ready, "processes": processes})
    else:
        _show(running, processes)
    raise typer.Exit(0 if ready else 1)


def _process(running: StackFacts, name: str, pid: int) -> dict[str, Any]:
    row: dict[str, Any] = {"name": name, "pid": pid, "alive": False, "ready": False}
    try:
        found = psutil.Process(pid)
        family = [found, *found.children(recursive=True)]
        row |= {
            "alive": True,
            "rss_mib": round(sum(one.memory_info().rss for one in family) / MIB),
            "cpu_s": round(sum(found.cpu_times()[:2]), 1),
            "up_s": round(time.time() - found.create_time()),
        }
    except psutil.NoSuchProcess:
        return row
    url = running.metrics.get(name)
    row["ready"] = health.is_ready(urlsplit(url).netloc) if url else True
    return row


def _show(running: StackFacts, processes: list[dict[str, Any]]) -> None:
    names = ("smtp", "outgoing", "imap", "kafka", "mongo", "state_dir")
    shown = running.shown()
    print_table(("", ""), ((name, shown[name]) for name in names))
    console.print()
    print_table(
        ("part", "pid", "ready", "MiB", "CPU s", "up s"),
        (
            (p["name"], p["pid"], "yes" if p["ready"] else "NO", p.get("rss_mib", "-"),
             p.get("cpu_s", "-"), p.get("up_s", "-"))
            for p in processes
        ),
    )  # fmt: skip
