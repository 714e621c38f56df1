"""``make bench``: all figures as a table, and in ``build/bench.json``. ``--only`` accept or desk."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from deploy.local.providers.choice import choose
from tests.bench import accept, end_to_end, hostile
from tests.bench.load import Mix
from tests.bench.rows import Row, keep, show

OUTPUT = Path(__file__).parents[2] / "build" / "bench.json"


def main() -> int:
    """Measure, print, keep; 0 even where a goal is missed, since the machine may be busy."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.run", description=__doc__)
    parser.add_argument("--only", choices=["accept", "desk"])
    parser.add_argument("--rounds", type=int, default=end_to_end.ROUNDS)
    parser.add_argument("--short", action="store_true", help="a tenth of the mails")
    options = parser.parse_args()
    rows: list[Row] = []
    mix = Mix(40, 20, 10, 30) if options.short else Mix()
    if options.only != "desk":
        rows += _accept()
    if options.only != "accept":
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            rows += end_to_end.run(Path(folder), rounds=options.rounds, mix=mix)
    show(rows)
    keep(rows, OUTPUT)
    return 0


def _accept() -> Iterator[Row]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        backends = choose(Path(folder))
        backends.mongo.launch()
        try:
            backends.mongo.wait_ready()
            for row in asyncio.run(accept.run("", backends.mongo.address)):
                yield Row(**row)  # type: ignore[arg-type]  # the same names
            yield from hostile.run(backends.mongo.address)
        finally:
            backends.mongo.stop()


if __name__ == "__main__":
    sys.exit(main())
