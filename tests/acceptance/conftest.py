"""One real stack for all acceptance tests: SMTP in, Kafka, MongoDB, five services, SMTP out."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.company import Company
from tests.acceptance.running import demo_desk, running_desk


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with running_desk(tmp_path_factory.mktemp("desk"), _configuration()) as company:
        yield company


def _configuration() -> dict[str, Any]:
    """The demo company, with a priority whose targets run out within seconds, day and night."""
    desk = demo_desk()
    desk["priorities"].append("flash")
    desk["calendars"]["always"] = {"timezone": "UTC", "week": "always"}
    policy = desk["sla"]["policies"]["standard"]
    policy["targets"]["flash"] = {"first_response": "2s", "resolution": "4s"}
    desk["mailboxes"].append(
        {
            "address": "alarm@desk.example",
            "brand": "Nordlicht Alarm",
            "team": "alarm",
            "priority": "flash",
        }
    )
    policy["clock"] = "calendar"
    policy["calendar"] = "always"
    desk["teams"].append(
        {
            "name": "alarm",
            "members": ["lena@desk-team.example"],
            "manager": "marta@desk-team.example",
        }
    )
    desk["notices"] = {"bundle": "1s", "hold": "2s"}
    return desk
