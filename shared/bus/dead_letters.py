"""Dead letters: the record as it came, with the reason and the origin as headers."""

from shared.bus.consuming import DeadLetter
from shared.bus.producer import Encoded
from shared.bus.records import Headers
from shared.logs import describe


def dead_letter_of(letter: DeadLetter, *, service: str, topic_name: str) -> Encoded:
    """Give the record for ``topic_name``: key, value and headers of the original plus the reason.

    The reason may hold what the error says, never the content.
    """
    raw = letter.raw
    stamps = {
        "dlq_reason": describe(letter.error),
        "dlq_error_class": f"{type(letter.error).__module__}.{type(letter.error).__qualname__}",
        "dlq_tries": str(letter.tries),
        "dlq_service": service,
        "dlq_topic": raw.topic,
        "dlq_partition": str(raw.partition),
        "dlq_offset": str(raw.offset),
        "dlq_timestamp": str(raw.timestamp),
    }
    kept: Headers = [
        (name, value or b"") for name, value in raw.headers if not name.startswith("dlq_")
    ]
    added = [(name, value.encode()) for name, value in stamps.items()]
    return topic_name, raw.key or b"", raw.value, kept + added
