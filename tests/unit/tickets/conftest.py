"""A desk without any store: mails and orders go straight through the rules."""

import pytest

from tests.unit.tickets.memory_desk import MemoryDesk


@pytest.fixture
def desk() -> MemoryDesk:
    """A fresh desk at noon."""
    return MemoryDesk()
