"""How many mails a second get their 250, journaled, beside a bare aiosmtpd that fsyncs each mail.

Both are measured in turn with the same client on the same cores. The client does not pipeline.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop

from deploy.local.providers.choice import choose

ROUNDS = 3
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Case:
    name: str
    sessions: int
    size: int
    ours: int
    bare: int
    goal: float


CASES = (
    Case("accept, 10 sessions, 6 KB", 10, 6_000, 2_000, 1_000, 1.5),
    Case("accept, 100 sessions, 6 KB", 100, 6_000, 3_000, 1_000, 2.0),
    Case("accept, 10 sessions, 1 MB", 10, 1_000_000, 300, 40, 6.0),
)


async def run(_kafka: str, mongo: str) -> list[dict[str, object]]:
    """Measure all cases; Kafka plays no part before the 250."""
    return [await asyncio.to_thread(_measure, case, mongo) for case in CASES]


def _measure(case: Case, mongo: str) -> dict[str, object]:
    rates: dict[str, list[float]] = {"ours": [], "bare": []}
    for number in range(ROUNDS):
        with serving("bare", tempfile.gettempdir()) as (port, _):
            rates["bare"].append(_load(case, port, case.bare))
        with serving("ours", mongo, f"bench_accept_{number}") as (port, _):
            rates["ours"].append(_load(case, port, case.ours))
    value, against = statistics.median(rates["ours"]), statistics.median(rates["bare"])
    return {
        "name": case.name,
        "value": round(value, 1),
        "unit": "mails/s",
        "against": f"bare aiosmtpd with fsync: {against:.1f}",
        "ratio": round(value / against, 2),
        "goal": case.goal,
        "met": value / against >= case.goal,
    }


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[int, int]]:
    """One of the two servers, see `accept_servers`; gives its port and its process id."""
    command = [sys.executable, "-m", "tests.bench.accept_servers", *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        yield int(process.stdout.readline()), process.pid
        process.stdin.close()
        process.wait(60)


def _load(case: Case, port: int, mails: int) -> float:
    command = [sys.executable, "-m", "tests.bench.accept", "load", str(port)]
    command += [str(case.sessions), str(case.size), str(mails)]
    return float(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)


async def load(port: int, sessions: int, size: int, mails: int) -> float:
    """Send the mails over kept connections; mails per second from the first MAIL to the last 250."""
    line = b"0123456789 abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456\r\n"
    body = b"\r\n" + line * (size // len(line)) + b".\r\n"
    numbers = iter(range(mails))
    connections = [await _connect(port) for _ in range(sessions)]
    started = time.perf_counter()
    await asyncio.gather(*(_session(*one, numbers, body) for one in connections))
    return mails / (time.perf_counter() - started)


async def _connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await _reply(reader, b"220")
    writer.write(b"EHLO client.example\r\n")
    await _reply(reader, b"250")
    return reader, writer


async def _session(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, numbers: Iterator[int], body: bytes
) -> None:
    for number in numbers:
        head = (
            b"From: Ann <ann@example.com>\r\nTo: support@desk.example\r\nSubject: Mail %d\r\n"
            b"Date: Sun, 22 Nov 2026 12:00:00 +0000\r\nMessage-ID: <%d@client.example>\r\n"
        ) % (number, number)
        for command, expected in (
            ((b"MAIL FROM:<ann@example.com>\r\n",), b"250"),
            ((b"RCPT TO:<support@desk.example>\r\n",), b"250"),
            ((b"DATA\r\n",), b"354"),
            ((head, body), b"250"),
        ):
            writer.writelines(command)
            await _reply(reader, expected)
    writer.close()


async def _reply(reader: asyncio.StreamReader, expected: bytes) -> None:
    line = await reader.readline()
    while line[3:4] == b"-":
        line = await reader.readline()
    if not line.startswith(expected):
        raise RuntimeError(f"{line!r} instead of {expected!r}")


def main() -> None:
    """``load PORT SESSIONS SIZE MAILS``, or the whole bench against a MongoDB of its own."""
    if sys.argv[1:2] == ["load"]:
        print(uvloop.run(load(*map(int, sys.argv[2:]))))
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        mongo = choose(Path(folder)).mongo
        mongo.launch()
        try:
            mongo.wait_ready()
            for row in asyncio.run(run("", mongo.address)):
                print(row)
        finally:
            mongo.stop()


if __name__ == "__main__":
    main()
