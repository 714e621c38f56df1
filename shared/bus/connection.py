"""A way around one fault of aiokafka: it keeps a connection whose transport uvloop has closed.

uvloop raises RuntimeError where one writes to such a transport, asyncio's own loop nothing and the
connection is found dead by reading. aiokafka closes a connection for OSError alone; for any other
error it stays in place, and the consumer asks the dead coordinator for ever.
"""

from functools import wraps
from typing import Any

from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError

_MENDED = "_closes_dead_transports"


def mend() -> None:
    """Let every connection of this process close itself then; doing it again changes nothing."""
    original = AIOKafkaConnection.send
    if getattr(original, _MENDED, False):
        return

    @wraps(original)
    def send(self: Any, *arguments: Any, **more: Any) -> Any:
        try:
            return original(self, *arguments, **more)
        except RuntimeError as error:
            self.close(reason=CloseReason.CONNECTION_BROKEN, exc=error)
            raise KafkaConnectionError(f"the connection is closed: {error}") from error

    setattr(send, _MENDED, True)
    AIOKafkaConnection.send = send
