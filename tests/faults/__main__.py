"""``make faults``: mail flows while everything goes wrong, then the books are compared.

Parameters from the command line or as MAILS, FAULTS, SEED and PROFILE from the environment.
``--mutants`` proves that the test can fail.
"""

import argparse
import logging
import os
import random
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from tests.faults.disks import missing
from tests.faults.ledger_run import run_ledger
from tests.faults.profiles import PROFILES, Profile
from tests.faults.report import show, write

BUILD = Path(__file__).parents[2] / "build"
KEPT = BUILD / "faults"
"""Logs, ledgers and stores of runs that had problems, by seed."""


def main() -> int:
    """0 where nothing was lost, doubled or invented in any run."""
    # A client that finds Kafka down is no news in a run that takes it down.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    options = _options()
    if options.mutants:
        from tests.faults import mutants

        return mutants.main([])
    seeds = range(options.seed, options.seed + options.runs)
    return int(sum(_has_problems(seed, options) for seed in seeds) > 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    given = os.environ.get
    parser.add_argument("--profile", choices=list(PROFILES), default=given("PROFILE") or "short")
    parser.add_argument("--mails", type=int, default=int(given("MAILS") or 0))
    parser.add_argument("--faults", type=int, default=int(given("FAULTS") or 0))
    parser.add_argument("--seed", type=int, default=int(given("SEED") or random.randrange(10**6)))
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="FAULT",
        help='such as "kill mongo"; repeat it',
    )
    parser.add_argument("--runs", type=int, default=1, help="with this seed and those after it")
    parser.add_argument("--mutants", action="store_true")
    return parser.parse_args()


def _has_problems(seed: int, options: argparse.Namespace) -> bool:
    print(f"SEED={seed} PROFILE={options.profile}", flush=True)
    if PROFILES[options.profile].has_small_disks and (reasons := missing()):
        sys.exit(f"the profile {options.profile} cannot be run here: {'; '.join(reasons)}")
    folder = KEPT / str(seed)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    result = run_ledger(folder, seed, _profile(options), say=lambda line: print(line, flush=True))
    show(result, options.profile)
    write(result, options.profile, BUILD / "faults.json")
    if not result.problems:
        shutil.rmtree(folder, ignore_errors=True)
    return bool(result.problems)


def _profile(options: argparse.Namespace) -> Profile:
    chosen = PROFILES[options.profile]
    return replace(
        chosen,
        mails=options.mails or chosen.mails,
        faults=options.faults or chosen.faults,
        only=tuple(options.only),
    )


if __name__ == "__main__":
    sys.exit(main())
