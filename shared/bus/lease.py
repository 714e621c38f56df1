"""A lease in MongoDB: of many processes, one works."""

import contextlib
import time
from typing import Any

from shared.mongo import Collection, DuplicateKeyError, ReturnDocument

LEASE_S = 10.0


class Lease:
    """Held by one owner at a time; ``epoch`` grows whenever it is taken.

    An owner that starts again takes its own lease over at once, so ``owner`` must differ between
    processes that run at the same time. Times are the database's: clocks need not agree.
    """

    def __init__(
        self, leases: Collection, name: str, owner: str, *, lease_s: float = LEASE_S
    ) -> None:
        self._leases = leases
        self._name = name
        self._owner = owner
        self._lease_s = lease_s
        self._epoch: int | None = None
        self._asked_at = 0.0

    async def is_held(self) -> bool:
        """Take the lease or renew it when that is due; say whether it is ours."""
        now = time.monotonic()
        if self._epoch is None:
            self._epoch = await self._take()
        elif now - self._asked_at < self._lease_s / 3:
            return True
        elif not await self._renew():
            self._epoch = None
        self._asked_at = now
        return self._epoch is not None

    async def release(self) -> None:
        """Let the next one take it at once."""
        if self._epoch is not None:
            mine = {"_id": self._name, "owner": self._owner, "epoch": self._epoch}
            await self._leases.update_one(mine, [{"$set": {"until": "$$NOW"}}])
            self._epoch = None

    async def _take(self) -> int | None:
        free = [{"owner": self._owner}, {"$expr": {"$lte": ["$until", "$$NOW"]}}]
        taken = {
            "owner": self._owner,
            "until": self._end(),
            "epoch": {"$add": [{"$ifNull": ["$epoch", 0]}, 1]},
        }
        # A missing `until` compares as earlier than any time.
        with contextlib.suppress(DuplicateKeyError):
            await self._leases.update_one(
                {"_id": self._name}, {"$setOnInsert": {"epoch": 0}}, upsert=True
            )
        found = await self._leases.find_one_and_update(
            {"_id": self._name, "$or": free},
            [{"$set": taken}],
            return_document=ReturnDocument.AFTER,
        )
        return None if found is None else int(found["epoch"])

    async def _renew(self) -> bool:
        mine = {"_id": self._name, "owner": self._owner, "epoch": self._epoch}
        result = await self._leases.update_one(mine, [{"$set": {"until": self._end()}}])
        return bool(result.matched_count)

    def _end(self) -> dict[str, Any]:
        return {"$add": ["$$NOW", round(self._lease_s * 1000)]}
