from typing import Any

import pytest
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.admin import ListGroupsRequest

from shared.bus.connection import mend


class DeadWriter:
    """What uvloop's closed transport does."""

    def write(self, _data: bytes) -> None:
        raise RuntimeError("unable to perform operation; the handler is closed")

    def close(self) -> None:
        pass


class DoneTask:
    def done(self) -> bool:
        return True


async def a_dead_connection() -> tuple[AIOKafkaConnection, list[Any]]:
    closed: list[Any] = []
    connection = AIOKafkaConnection("127.0.0.1", 9, on_close=lambda *why: closed.append(why))
    connection._versions = {ListGroupsRequest.API_KEY: (0, 0)}
    connection._reader, connection._writer = object(), DeadWriter()
    connection._read_task = DoneTask()
    return connection, closed


async def test_writing_to_a_dead_transport_closes_the_connection() -> None:
    mend()
    mend()
    connection, closed = await a_dead_connection()

    with pytest.raises(KafkaConnectionError):
        connection.send(ListGroupsRequest())

    assert len(closed) == 1
    assert not connection.connected()
