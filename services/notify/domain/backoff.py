"""When a mail that could not be sent is tried again; time comes in as a value."""

from datetime import datetime, timedelta

FIRST_PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(minutes=66)
LIFETIME = timedelta(days=5)
"""RFC 5321, 4.5.4.1: give up after four to five days."""
RELAY_FIRST_S = 0.5
RELAY_LONGEST_S = 60.0


def next_try(
    *, created_at: datetime, refusals: int, now: datetime, first_pause: timedelta = FIRST_PAUSE
) -> datetime | None:
    """When to try again after that many temporary refusals (1 is the first); None: give up."""
    pause = min(first_pause * 2 ** min(refusals - 1, 10), LONGEST_PAUSE)
    return now + pause if now + pause - created_at <= LIFETIME else None


def relay_pause_s(failures: int) -> float:
    """Seconds until a relay that did not answer is asked again: soon first, at most a minute."""
    return min(RELAY_FIRST_S * 2.0 ** min(failures - 1, 10), RELAY_LONGEST_S)
