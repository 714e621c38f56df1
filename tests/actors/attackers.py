"""Hostile SMTP clients, each from an address of its own on loopback, until standard input ends.

``python -m tests.actors.attackers PORT CLIENTS SEED``: a third each drips, never ends, or breaks off.
"""

import asyncio
import contextlib
import itertools
import os
import random
import socket
import struct
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENVELOPE = (
    b"EHLO bad.example\r\nMAIL FROM:<x@bad.example>\r\nRCPT TO:<support@desk.example>\r\nDATA\r\n"
)
BLOCK = b"x" * 65_536
RESET = struct.pack("ii", 1, 0)

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Attack = Callable[[Streams, random.Random], Awaitable[None]]


async def drips(streams: Streams, chance: random.Random) -> None:
    """Just fast enough a mail, or one command in small pieces, or silence."""
    reader, writer = streams
    if chance.random() < 0.3:
        await reader.read(-1)
        return
    writer.write(ENVELOPE if chance.random() < 0.7 else b"NOOP ")
    while True:
        writer.write(b"slow and steady " * 8)
        await writer.drain()
        await asyncio.sleep(0.1)


async def never_ends(streams: Streams, chance: random.Random) -> None:
    """A line, a mail or a row of commands without end, as fast as it is read."""
    _, writer = streams
    kind = chance.randrange(3)
    writer.write(ENVELOPE if kind else b"")
    block = BLOCK if kind else b"NOOP\r\n" * 1000
    if kind == 1:
        block = block[:-2] + b"\r\n"
    while True:
        writer.write(block)
        await writer.drain()


async def breaks_off(streams: Streams, chance: random.Random) -> None:
    """Away again after a while, at any stage, without a word."""
    _, writer = streams
    writer.write(ENVELOPE[: chance.randrange(len(ENVELOPE) + 1)])
    if chance.random() < 0.3:
        writer.write(BLOCK)
    await asyncio.sleep(chance.random() * 0.1)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


async def attack(port: int, number: int, how: Attack, chance: random.Random) -> None:
    """Attack over and over."""
    own = f"127.0.{1 + number // 250}.{1 + number % 250}"
    while True:
        with contextlib.suppress(OSError):
            streams = await asyncio.open_connection("127.0.0.1", port, local_addr=(own, 0))
            try:
                await how(streams, chance)
            finally:
                streams[1].transport.abort()
        await asyncio.sleep(0.02)


async def main(port: int, clients: int, seed: int) -> None:
    """Say when all have begun."""
    ways = itertools.cycle([drips, never_ends, breaks_off])
    attacks = [
        asyncio.create_task(attack(port, number, how, random.Random(seed + number)))
        for number, how in zip(range(clients), ways, strict=False)
    ]
    print("attacking", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for one in attacks:
        one.cancel()


@contextlib.contextmanager
def attacked(port: int, clients: int, seed: int) -> Iterator[None]:
    """Attackers, as a process of their own."""
    command = [sys.executable, "-m", "tests.actors.attackers", str(port), str(clients), str(seed)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: os.nice(10),  # noqa: PLW1509 - no threads run yet
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdout.readline()
        try:
            yield
        finally:
            process.stdin.close()
            process.wait(30)


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
