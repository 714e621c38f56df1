"""Fixtures for every tier; a test that takes ``kafka`` or ``mongo`` is marked ``stack``."""

from collections.abc import Iterator

import pytest

from deploy.local.providers.choice import Backends
from tests.acceptance.company import Company
from tests.acceptance.running import acceptance_desk, running_desk
from tests.stack import running_backends


@pytest.fixture(scope="session")
def backends() -> Iterator[Backends]:
    """Kafka and MongoDB, started at the first test that needs them."""
    with running_backends() as started:
        yield started


@pytest.fixture(scope="session")
def kafka(backends: Backends) -> str:
    """Bootstrap address of a real Kafka, shared by the run: use topics and groups of your own."""
    return backends.kafka.address


@pytest.fixture(scope="session")
def mongo(backends: Backends) -> str:
    """URI of a real MongoDB replica set, shared by the run: use a database of your own."""
    return backends.mongo.address


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """One real desk for all tests that need a whole one: SMTP in, five services, SMTP out."""
    with running_desk(tmp_path_factory.mktemp("desk"), acceptance_desk()) as company:
        yield company
