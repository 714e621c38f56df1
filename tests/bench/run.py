"""``make bench``: all figures as a table, and in ``build/bench.json``; ``--only`` does one part.

A plain run does the short parts, parse, accept and desk; ``--long`` does all of them.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from deploy.local.providers.choice import choose
from tests.bench import accept, end_to_end, growth, hostile, parsing, scale, sla_timers, sustained
from tests.bench.load import Mix
from tests.bench.rows import Row, keep, show

OUTPUT = Path(__file__).parents[2] / "build" / "bench.json"
SHORT = ("parse", "accept", "desk")


def main() -> int:
    """Measure, print, keep; 0 even where a goal is missed, since the machine may be busy."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.run", description=__doc__)
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--long", action="store_true", help="all parts; an hour or more")
    parser.add_argument("--rounds", type=int, default=end_to_end.ROUNDS)
    parser.add_argument("--short", action="store_true", help="a tenth of the mails")
    parser.add_argument("--rate", type=float, default=sustained.RATE, help="sustained: mails/s")
    parser.add_argument("--seconds", type=float, default=sustained.SECONDS, help="sustained")
    parser.add_argument("--tickets", type=int, default=growth.TICKETS, help="growth")
    options = parser.parse_args()
    names = [options.only] if options.only else [*PARTS] if options.long else [*SHORT]
    rows: list[Row] = []
    for name in names:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            rows += PARTS[name](Path(folder), options)
    show(rows)
    keep(rows, OUTPUT)
    return 0


def _parse(_folder: Path, _options: argparse.Namespace) -> list[Row]:
    return parsing.run()


def _accept(folder: Path, _options: argparse.Namespace) -> Iterator[Row]:
    backends = choose(folder)
    backends.mongo.launch()
    try:
        backends.mongo.wait_ready()
        for row in asyncio.run(accept.run("", backends.mongo.address)):
            yield Row(**row)  # type: ignore[arg-type]  # the same names
        yield from hostile.run(backends.mongo.address)
    finally:
        backends.mongo.stop()


def _desk(folder: Path, options: argparse.Namespace) -> Iterator[Row]:
    return end_to_end.run(folder, rounds=options.rounds, mix=_mix(options))


def _sustained(folder: Path, options: argparse.Namespace) -> Iterator[Row]:
    return sustained.run(folder, rate=options.rate, seconds=options.seconds)


def _growth(folder: Path, options: argparse.Namespace) -> Iterator[Row]:
    return growth.run(folder, tickets=options.tickets, rounds=options.rounds, mix=_mix(options))


def _scale(folder: Path, options: argparse.Namespace) -> Iterator[Row]:
    return scale.run(folder, mix=_mix(options))


def _mix(options: argparse.Namespace) -> Mix:
    return Mix(40, 20, 10, 30) if options.short else Mix()


def _timers(_folder: Path, options: argparse.Namespace) -> Iterator[Row]:
    share = 10 if options.short else 1
    return sla_timers.run(sla_timers.CLOCKS // share, sla_timers.REFITTED // share)


PARTS: Mapping[str, Callable[[Path, argparse.Namespace], Iterable[Row]]] = {
    "parse": _parse,
    "accept": _accept,
    "desk": _desk,
    "sustained": _sustained,
    "growth": _growth,
    "scale": _scale,
    "timers": _timers,
}


if __name__ == "__main__":
    sys.exit(main())
