"""How soon a service reads what lies on its topics."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """Kafka answers a fetch when it has ``fetch_bytes``, or after ``fetch_ms``.

    ``stands_back_s``: while records come in large batches, they are left alone until they are so
    many seconds old, and the machine is for services that somebody waits for. The wait makes a
    service no later than that: older records it reads at once, and without load all of them.
    """

    fetch_ms: int = 100
    fetch_bytes: int = 1
    stands_back_s: float = 0.0


PROMPT = Pace()
STANDS_BACK = Pace(stands_back_s=4.0)
"""Somebody looks at what follows, but nobody waits for it while mails are being answered."""
UNHURRIED = Pace(fetch_ms=500, fetch_bytes=1024 * 1024, stands_back_s=4.0)
"""Nobody waits for what follows from the records."""
