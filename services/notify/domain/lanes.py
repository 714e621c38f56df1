"""Which mail goes next: domains take turns, and none gets more than its share at a time."""

from collections import OrderedDict, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Lanes(Generic[T]):
    """Waiting items by domain; ``limit`` of a domain may be under way at once."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: OrderedDict[str, deque[T]] = OrderedDict()
        self._under_way: dict[str, int] = {}
        self._count = 0

    def __len__(self) -> int:
        """Number of waiting items."""
        return self._count

    def put(self, domain: str, item: T) -> None:
        """Add an item at the end of its domain's lane."""
        self._waiting.setdefault(domain, deque()).append(item)
        self._count += 1

    def take(self) -> tuple[str, T] | None:
        """The next item of a domain that has room; call `done` for the domain afterwards."""
        for domain in list(self._waiting):
            if self._under_way.get(domain, 0) >= self._limit:
                continue
            lane = self._waiting[domain]
            item = lane.popleft()
            self._count -= 1
            self._waiting.move_to_end(domain)
            if not lane:
                del self._waiting[domain]
            self._under_way[domain] = self._under_way.get(domain, 0) + 1
            return domain, item
        return None

    def done(self, domain: str) -> None:
        """Say that one item of the domain is no longer under way."""
        self._under_way[domain] -= 1
        if not self._under_way[domain]:
            del self._under_way[domain]

    def drain(self) -> list[T]:
        """Take out all that waits."""
        items = [item for lane in self._waiting.values() for item in lane]
        self._waiting.clear()
        self._count = 0
        return items
