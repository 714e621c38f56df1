"""Nothing lost, nothing twice: the desk keeps its books while everything goes wrong under it."""

import os
import random
from pathlib import Path

import pytest

from tests.faults.ledger_run import run_ledger
from tests.faults.profiles import PROFILES

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1500)]
SHOWN = 40


def test_every_accepted_mail_is_one_message_of_one_ticket_though_everything_goes_wrong(
    tmp_path: Path,
) -> None:
    seed = int(os.environ.get("LEDGER_SEED") or random.randrange(10**6))
    print(f"LEDGER_SEED={seed}")

    result = run_ledger(tmp_path, seed)

    print(f"{result.mails} mails, {result.faults} faults, {result.seconds:.0f} s, {result.figures}")
    assert not result.problems, "\n".join(
        [f"{len(result.problems)} problems with LEDGER_SEED={seed}:", *result.problems[:SHOWN]]
    )
    assert result.faults == PROFILES["short"].faults
