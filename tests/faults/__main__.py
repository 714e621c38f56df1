"""``make faults``: ledger runs with one seed after the other; ``--mutants`` proves that they can fail."""

import argparse
import random
import shutil
import sys
from pathlib import Path

from tests.faults import mutants
from tests.faults.ledger_run import run_ledger

KEPT = Path(__file__).parents[2] / "build" / "faults"
"""Logs, ledgers and stores of runs that had problems, by seed."""


def main() -> int:
    """0 where nothing was lost, doubled or invented in any run."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument(
        "--seed", type=int, default=random.randrange(10**6), help="of the first run"
    )
    parser.add_argument("--mutants", action="store_true")
    options = parser.parse_args()
    if options.mutants:
        return mutants.main([])
    seeds = range(options.seed, options.seed + options.runs)
    return int(sum(map(_has_problems, seeds)) > 0)


def _has_problems(seed: int) -> bool:
    folder = KEPT / str(seed)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    result = run_ledger(folder, seed, say=lambda _: None)
    kills = ", ".join(f"{name} {count}" for name, count in sorted(result.kills.items()))
    print(f"seed {seed}: {result.mails} mails, {result.tries} tries, {result.seconds:.0f} s, killed: {kills}; {len(result.problems)} problems", flush=True)  # fmt: skip
    for line in result.problems:
        print(f"  {line}", flush=True)
    if not result.problems:
        shutil.rmtree(folder, ignore_errors=True)
    return bool(result.problems)


if __name__ == "__main__":
    sys.exit(main())
