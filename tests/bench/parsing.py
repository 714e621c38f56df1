"""What a mail costs the parser's child: reply text, sanitised HTML and files, over the pipe and back.

The child is the one that ingest keeps, so its start is paid once and shown apart.
"""

import asyncio
import base64
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from services.ingest.children import Children
from tests.bench.rows import Row, at_most, plain

SMALL_MS = 1.5
LARGE_MB_PER_S = 100.0
FILE_BYTES = 10_000_000
MAILS_AT_ONCE = 50
SMALL_BATCHES = 10
LARGE_MAILS = 10
ROUNDS = 3
_HEAD = (
    "Received: from mx.bakery.example (mx.bakery.example [192.0.2.7]) by desk.example;"
    " Mon, 2 Nov 2026 09:14:00 +0100\r\n"
    "From: Emma Brand <emma@bakery.example>\r\nTo: support@desk.example\r\n"
    "Subject: Re: [T-7] =?utf-8?q?Keine_W=C3=A4hlt=C3=B6ne?=\r\nMessage-ID: <a1@bakery.example>\r\n"
    "In-Reply-To: <t7.1@desk.example>\r\nReferences: <t7.root@desk.example> <t7.1@desk.example>\r\n"
    "Date: Mon, 2 Nov 2026 09:15:00 +0100\r\nMIME-Version: 1.0\r\n"
)
_NEW = [
    "Dear team,",
    *(f"{n}. We tried step {n} of your list and it did not help at all." for n in range(1, 33)),
    "Best regards",
    "Emma Brand, Harbour Bakery, Kai 7, 20457 Hamburg",
]
_QUOTED = ["Hello Emma,", "please restart the router and tell us its lights.", "Kind regards, Ana"]
_SAID = "On Mon, 2 Nov 2026 at 09:15, Support <support@desk.example> wrote:"


@dataclass(frozen=True)
class _Cost:
    """Of one mail, in the child."""

    cpu_s: float
    wall_s: float


def an_answer() -> bytes:
    """An answer of 6 KB as most mail programs write it: text and HTML, over what it answers."""
    text = "\r\n".join([*_NEW, "", _SAID, *(f"> {line}" for line in _QUOTED)])
    new = "".join(f'<p style="margin:0">{line}</p>' for line in _NEW)
    quoted = "".join(f"<div>{line}</div>" for line in _QUOTED)
    html = f'<html><body>{new}<p>{_SAID}</p><blockquote type="cite">{quoted}</blockquote></body></html>'
    return (
        f"{_HEAD}Content-Type: multipart/alternative; boundary=b\r\n\r\n"
        f"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
        f"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}\r\n--b--\r\n"
    ).encode()


def with_a_large_file() -> bytes:
    """A few words and a file of 10 MB that no coding makes shorter."""
    data = base64.encodebytes(random.Random(1).randbytes(FILE_BYTES)).replace(b"\n", b"\r\n")
    head = (
        f"{_HEAD}Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nHere is the file.\r\n"
        "--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
        "Content-Disposition: attachment; filename=plan.pdf\r\n\r\n"
    )
    return head.encode() + data + b"--b--\r\n"


def run() -> list[Row]:
    """Measure both kinds of mail in turn; the median of the rounds counts."""
    return asyncio.run(_measure())


async def _measure() -> list[Row]:
    began = time.perf_counter()
    children = Children(1)
    await children.start()
    start_s = time.perf_counter() - began
    try:
        [child] = psutil.Process().children()
        small, large = await _rounds(children, child)
        is_the_same = psutil.Process().children() == [child]
    finally:
        await children.stop()
    if not is_the_same:
        raise RuntimeError("the parser did not live through all mails")
    file_mb = FILE_BYTES / 1_000_000
    rate = round(file_mb / large.cpu_s, 1)
    return [
        at_most("parse, text and HTML of 6 KB", 1000 * small.cpu_s, "ms CPU", goal=SMALL_MS),
        plain("the same, until the reading is back", 1000 * small.wall_s, "ms"),
        Row(
            "parse, file of 10 MB",
            rate,
            "MB/s CPU",
            goal=LARGE_MB_PER_S,
            met=rate >= LARGE_MB_PER_S,
        ),
        plain("the same, until the file is back", file_mb / large.wall_s, "MB/s"),
        plain("start of the parser, once for all of these", 1000 * start_s, "ms"),
    ]


async def _rounds(children: Children, child: psutil.Process) -> tuple[_Cost, _Cost]:
    small, large = [an_answer()] * MAILS_AT_ONCE, [with_a_large_file()]
    await _cost(children, child, small, 1)
    costs = [
        (
            await _cost(children, child, small, SMALL_BATCHES),
            await _cost(children, child, large, LARGE_MAILS),
        )
        for _ in range(ROUNDS)
    ]
    return _median([one for one, _ in costs]), _median([one for _, one in costs])


async def _cost(
    children: Children, child: psutil.Process, mails: Sequence[bytes], times: int
) -> _Cost:
    used, began = _cpu_s(child), time.perf_counter()
    for _ in range(times):
        answers = await children.read(mails)
        if answers.failure:
            raise RuntimeError(f"a mail was not read: {answers.failure}")
    count = len(mails) * times
    return _Cost((_cpu_s(child) - used) / count, (time.perf_counter() - began) / count)


def _median(costs: Sequence[_Cost]) -> _Cost:
    return _Cost(
        statistics.median(one.cpu_s for one in costs),
        statistics.median(one.wall_s for one in costs),
    )


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
