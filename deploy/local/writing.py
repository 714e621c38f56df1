"""Publishes records as they are, for tools that put back what was on a topic before."""

from collections.abc import Sequence

from aiokafka.errors import KafkaError

from deploy.local.errors import StackError
from shared.bus.errors import BusError
from shared.bus.producer import Encoded, Producer

AT_ONCE = 500

__all__ = ["Encoded", "publish"]


async def publish(bootstrap: str, records: Sequence[Encoded]) -> None:
    """Return when all are acknowledged; records of one key keep their order.

    Raises:
        StackError: not all were; publishing again is right.
    """
    if not records:
        return
    producer = Producer(bootstrap.split(","), "postdesk-command")
    try:
        for start in range(0, len(records), AT_ONCE):
            await producer.publish(records[start : start + AT_ONCE])
    except (BusError, KafkaError, OSError) as error:
        raise StackError(
            f"Kafka at {bootstrap} did not take all records.",
            remedy="'postdesk status' shows whether it runs; then run the command again.",
        ) from error
    finally:
        await producer.close()
