"""The handlers over a store in memory."""

import pytest

from tests.service.tickets.memory import MemoryTickets
from tests.service.tickets.suite import TicketsSuite, handlers

__all__ = ["handlers"]


@pytest.fixture
def store() -> MemoryTickets:
    return MemoryTickets()


class TestTicketsInMemory(TicketsSuite):
    pass
