"""Nothing lost, nothing twice: the desk keeps its books while all of it is killed again and again."""

import os
import random
from pathlib import Path

import pytest

from deploy.local.parts import SERVICES
from tests.faults.chaos import KILLS_OF_EACH
from tests.faults.ledger_run import run_ledger
from tests.faults.traffic import Mix

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]
SHOWN = 40


def test_every_accepted_mail_is_one_message_of_one_ticket_though_everything_is_killed(
    tmp_path: Path,
) -> None:
    seed = int(os.environ.get("LEDGER_SEED") or random.randrange(10**9))
    print(f"LEDGER_SEED={seed}")

    result = run_ledger(tmp_path, seed)

    print(f"{result.mails} mails, {result.tries} tries, {result.seconds:.0f} s, {result.kills}")
    assert not result.problems, "\n".join(
        [f"{len(result.problems)} problems with LEDGER_SEED={seed}:", *result.problems[:SHOWN]]
    )
    assert result.mails == Mix().total - Mix().sent_again
    assert result.kills == dict.fromkeys(SERVICES, KILLS_OF_EACH) | {"kafka": 1, "mongo": 1}
