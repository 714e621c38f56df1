"""The handlers and the ticker over a store in memory."""

import pytest

from tests.service.sla.memory import MemoryStore
from tests.service.sla.suite import SLASuite, service

__all__ = ["service"]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


class TestInMemory(SLASuite):
    pass
