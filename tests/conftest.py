"""Fixtures for every tier; a test that takes ``kafka`` or ``mongo`` is marked ``stack``."""

import json
from collections.abc import Generator, Iterator
from pathlib import Path

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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the last warnings of the shared desk beside a failure: its logs are gone afterwards."""
    report = yield
    desk = getattr(item, "funcargs", {}).get("company")
    if report.failed and isinstance(desk, Company):
        report.sections.append(("the desk's last warnings", _last_warnings(desk.state_dir)))
    return report


def _last_warnings(state_dir: Path, count: int = 30) -> str:
    lines = [
        line
        for name in ("ingest", "tickets", "sla", "notify", "reports")
        for line in (state_dir / "logs" / f"{name}.log").read_text(errors="replace").splitlines()
        if _level(line) in ("warning", "error", "critical")
    ]
    return "\n".join(sorted(lines, key=lambda x: x.rpartition('"timestamp":')[2])[-count:])


def _level(line: str) -> str:
    try:
        return str(json.loads(line).get("level"))
    except (ValueError, AttributeError):
        return "error"
