"""Nothing lost, nothing twice, though the disks of Kafka and MongoDB get full or fail to sync."""

import random
from pathlib import Path

import pytest

from tests.faults.ledger_run import run_ledger
from tests.faults.profiles import PROFILES

pytestmark = [pytest.mark.peers, pytest.mark.timeout(1500)]


def test_every_accepted_mail_is_one_message_of_one_ticket_though_disks_fail(tmp_path: Path) -> None:
    seed = random.randrange(10**6)

    result = run_ledger(tmp_path, seed, PROFILES["disks"])

    assert not result.problems, "\n".join([f"seed {seed}", *result.problems[:40]])
