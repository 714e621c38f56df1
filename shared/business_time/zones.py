"""Time zones as spans of constant offset, from the pinned ``tzdata`` alone."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

SECOND = 1_000_000
DAY = 86_400 * SECOND
WINDOW = 32 * DAY
"""Microseconds that are worked out at once."""
# No two changes of any zone are closer than 6.9 days, so none hides between two probes.
_STEP = 4 * DAY
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Span = tuple[int, int, int]
"""From, to (exclusive) and the offset from UTC that holds between them, all in microseconds."""


class UnknownZoneError(LookupError):
    """No such time zone in ``tzdata``."""


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The zone as the package ``tzdata`` has it, whatever the machine's own tables say.

    Raises `UnknownZoneError`.
    """
    if not re.fullmatch(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", name):
        raise UnknownZoneError(f"unknown time zone {name!r}")
    resource = files("tzdata").joinpath("zoneinfo", *name.split("/"))
    try:
        with resource.open("rb") as data:
            return ZoneInfo.from_file(data, key=name)
    except (OSError, ValueError) as error:
        raise UnknownZoneError(f"unknown time zone {name!r}") from error


def is_zone(name: str) -> bool:
    """Whether there is such a time zone."""
    try:
        zone(name)
    except UnknownZoneError:
        return False
    return True


@lru_cache(maxsize=65_536)
def spans(name: str, window: int) -> tuple[Span, ...]:
    """The offsets of a window in order and without gap; window n begins n * WINDOW after 1970."""
    tz = zone(name)
    start, end = window * WINDOW, (window + 1) * WINDOW
    found: list[Span] = []
    since, offset = start, _offset(tz, start)
    for probe in range(start + _STEP, end + 1, _STEP):
        at = min(probe, end - SECOND)
        if (new := _offset(tz, at)) != offset:
            change = _change(tz, at - _STEP, at)
            found.append((since, change, offset))
            since, offset = change, new
    return (*found, (since, end, offset))


def _offset(tz: ZoneInfo, at: int) -> int:
    local = (_EPOCH + timedelta(microseconds=at)).astimezone(tz)
    offset = local.utcoffset()
    assert offset is not None  # noqa: S101 - a ZoneInfo always has one
    return (offset.days * 86_400 + offset.seconds) * SECOND


def _change(tz: ZoneInfo, before: int, after: int) -> int:
    """The second at which the offset changes, known to lie between the two."""
    old = _offset(tz, before)
    low, high = before // SECOND, after // SECOND
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(tz, middle * SECOND) == old:
            low = middle
        else:
            high = middle
    return high * SECOND
