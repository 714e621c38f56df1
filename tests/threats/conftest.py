"""One real stack for the threats that need one; it checks DKIM, SPF and DMARC by itself."""

from collections.abc import Iterator

import pytest

from tests.acceptance.running import demo_desk, running_desk
from tests.name_server import NameServer, a_name_server
from tests.threats.guarded import ADMIN, HOST, Guarded, publish_everybody


@pytest.fixture(scope="session")
def names() -> Iterator[NameServer]:
    with a_name_server() as server:
        publish_everybody(server)
        yield server


@pytest.fixture(scope="session")
def guarded(names: NameServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    desk = demo_desk()
    desk["host"] = HOST
    for box in desk["mailboxes"]:
        box["address"] = box["address"].replace("desk.example", HOST)
    desk["agent_mail"] = {"trust": "verified"}
    desk["customers"] = {"acknowledge": "authenticated"}
    desk["authentication"] = {"resolver": names.address}
    desk["door"] = {
        "exempt": [],
        "max_connections_per_address": 200,
        "trusted_authserv": ["mx.desk.example"],
    }
    desk["intake"] = {
        "forms": [{"name": "shop", "sender": "form@shop.example"}],
        "quarantine": {"every": 1},
    }
    desk["agents"].append({"address": ADMIN, "name": "Ada Byrne", "role": "admin"})
    with running_desk(tmp_path_factory.mktemp("guarded"), desk) as company:
        yield Guarded(company.addresses, company.state_dir)
