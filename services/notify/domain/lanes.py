"""Which mail goes next: what somebody waits for, then by domain, none above its share at a time."""

from collections import OrderedDict, deque
from typing import Generic, TypeVar

T = TypeVar("T")


TURN_OF_THE_OTHERS = 8
"""One of so many turns begins with what can wait, so that it never starves."""


class Lanes(Generic[T]):
    """Waiting items by domain; ``limit`` of a domain may be under way at once."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._urgent: OrderedDict[str, deque[T]] = OrderedDict()
        self._others: OrderedDict[str, deque[T]] = OrderedDict()
        self._under_way: dict[str, int] = {}
        self._count = 0
        self._turns = 0

    def __len__(self) -> int:
        """Number of waiting items."""
        return self._count

    def put(self, domain: str, item: T, *, is_urgent: bool = True) -> None:
        """Add an item at the end of its domain's lane."""
        waiting = self._urgent if is_urgent else self._others
        waiting.setdefault(domain, deque()).append(item)
        self._count += 1

    def take(self) -> tuple[str, T] | None:
        """The next item of a domain that has room; call `done` for the domain afterwards."""
        self._turns += 1
        order = (self._urgent, self._others)
        if self._turns % TURN_OF_THE_OTHERS == 0:
            order = (self._others, self._urgent)
        return self._next(order[0]) or self._next(order[1])

    def done(self, domain: str) -> None:
        """Say that one item of the domain is no longer under way."""
        self._under_way[domain] -= 1
        if not self._under_way[domain]:
            del self._under_way[domain]

    def drain(self) -> list[T]:
        """Take out all that waits."""
        items = [
            item
            for waiting in (self._urgent, self._others)
            for lane in waiting.values()
            for item in lane
        ]
        self._urgent.clear()
        self._others.clear()
        self._count = 0
        return items

    def _next(self, waiting: OrderedDict[str, deque[T]]) -> tuple[str, T] | None:
        free = (name for name in waiting if self._under_way.get(name, 0) < self._limit)
        domain = next(free, None)
        if domain is None:
            return None
        lane = waiting[domain]
        item = lane.popleft()
        self._count -= 1
        waiting.move_to_end(domain)
        if not lane:
            del waiting[domain]
        self._under_way[domain] = self._under_way.get(domain, 0) + 1
        return domain, item
