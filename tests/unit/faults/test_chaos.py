from collections import Counter
from random import Random

import pytest

from deploy.local.parts import SERVICES
from tests.faults.chaos import KILLS_OF_EACH, _plan


@pytest.mark.parametrize("seed", range(20))
def test_every_plan_kills_each_service_three_times_and_kafka_and_mongodb_once(seed: int) -> None:
    plan = _plan(Random(seed))

    kills = Counter([s.name for s in plan] + [s.then for s in plan if s.then])

    assert kills == dict.fromkeys(SERVICES, KILLS_OF_EACH) | {"kafka": 1, "mongo": 1}
