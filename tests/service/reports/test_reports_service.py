"""The handler and the sender over a store in memory."""

import pytest

from tests.service.reports.memory import MemoryStore
from tests.service.reports.suite import ReportsSuite, quick_drawing, service

__all__ = ["quick_drawing", "service"]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


class TestInMemory(ReportsSuite):
    pass
