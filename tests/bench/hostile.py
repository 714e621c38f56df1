"""Good senders while 200 hostile clients are at the door, beside the same senders when all is quiet.

Both in turn, in one run on the same cores. The attackers run at low priority, as their machines
would not share ours. Each good mail has a connection of its own, as most real ones have.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import psutil

from deploy.local.providers.choice import choose
from tests.actors.attackers import attacked
from tests.bench.accept import serving
from tests.bench.rows import Row, at_most

CLIENTS = 200
SENDERS = 10
MAILS = 400
ROUNDS = 3
PAUSE_S = 0.25
TWICE = 2.0
MEMORY_MB = 300.0
BODY = b"0123456789 abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456\r\n" * 80


async def good_mails(port: int, mails: int, run: str, *, pause_s: float = PAUSE_S) -> list[float]:
    """Seconds from connecting until the 250 of each mail; raises where one is not taken."""
    numbers = iter(range(mails))

    async def sender() -> list[float]:
        took = []
        for number in numbers:
            began = time.perf_counter()
            await _deliver(port, f"{run}.{number}")
            took.append(time.perf_counter() - began)
            await asyncio.sleep(pause_s)
        return took

    return [
        one for took in await asyncio.gather(*(sender() for _ in range(SENDERS))) for one in took
    ]


async def _deliver(port: int, name: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"From: Ann <ann@example.com>\r\nSubject: x\r\nMessage-ID: <{name}@x.example>\r\n\r\n"
    for said, expected in (
        (b"", b"220"),
        (b"EHLO good.example\r\n", b"250"),
        (b"MAIL FROM:<ann@example.com>\r\n", b"250"),
        (b"RCPT TO:<support@desk.example>\r\n", b"250"),
        (b"DATA\r\n", b"354"),
        (head.encode() + BODY + b".\r\n", b"250"),
        (b"QUIT\r\n", b"221"),
    ):
        writer.write(said)
        line = await reader.readline()
        while line[3:4] == b"-":
            line = await reader.readline()
        if not line.startswith(expected):
            raise RuntimeError(f"{line!r} instead of {expected!r}")
    writer.close()


def p99(took: list[float]) -> float:
    """The 99th percentile."""
    return statistics.quantiles(took, n=100)[98]


def run(mongo: str) -> list[Row]:
    """Measure quiet and attacked rounds in turn, and the most memory the door had."""
    quiet: list[float] = []
    under_attack: list[float] = []
    most_rss = 0
    with serving("ours", mongo, "bench_hostile") as (port, pid):
        server = psutil.Process(pid)
        for number in range(ROUNDS):
            quiet += asyncio.run(good_mails(port, MAILS, f"quiet{number}"))
            with attacked(port, CLIENTS, number):
                under_attack += asyncio.run(good_mails(port, MAILS, f"attack{number}"))
                most_rss = max(most_rss, server.memory_info().rss)
    ratio = p99(under_attack) / p99(quiet)
    return [
        Row(
            f"good senders' p99 while {CLIENTS} hostile clients attack",
            round(p99(under_attack) * 1000, 1),
            "ms",
            f"quiet: {p99(quiet) * 1000:.1f}",
            round(ratio, 2),
            TWICE,
            ratio <= TWICE,
        ),
        at_most("the door's memory meanwhile", most_rss / 1e6, "MB", goal=MEMORY_MB),
    ]


def main() -> None:
    """This bench alone, against a MongoDB of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        mongo = choose(Path(folder)).mongo
        mongo.launch()
        try:
            mongo.wait_ready()
            for row in run(mongo.address):
                print(row)
        finally:
            mongo.stop()


if __name__ == "__main__":
    main()
